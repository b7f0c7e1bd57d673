"""Bands: neighbouring lanes attend together, over no more columns than the longest of them needs.

One long sentence would otherwise have every lane attend over as many columns as it has. Where the
lanes of a band are of similar length, what is computed stays close to what is needed; and because
each band has caches of its own, what is read lies close together in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

BAND = 256
"""Lanes in a band: fewer would cost more in calls than they save in columns."""


@dataclass
class Band:
    """Neighbouring lanes that attend together in a forward of one token.

    Attributes:
        lanes: Which lanes.
        mask: True at the source positions that they may read, ``[lanes, 1, 1, source]``.
        cross: Keys and values of each cross-attention layer, ``[lanes, heads, source, d_head]``.
        own_mask: What is added to self-attention's logits over their own past, the newest column
            last, ``[lanes, 1, 1, target]``.
        own: Keys and values of the self-attention layer that is at work,
            ``[lanes, heads, target, d_head]``.
        own_bias: `own_mask` as the self-attention of all layers uses it; made by the first.
    """

    lanes: slice
    mask: Tensor
    cross: list[tuple[Tensor, Tensor]]
    own_mask: Tensor
    own: tuple[Tensor, Tensor] | None = None
    own_bias: Tensor | None = None

    @property
    def source(self) -> int:
        """How many leading source positions they read."""
        return self.mask.shape[-1]

    @property
    def target(self) -> int:
        """How many trailing positions of their own past they read."""
        return self.own_mask.shape[-1]

    def cut(self, rows: Tensor | None, columns: slice) -> Tensor | None:
        """This band's part of something ``[lanes or 1, ..., columns]``."""
        if rows is None:
            return None
        return (rows if len(rows) == 1 else rows[self.lanes])[..., columns]


def band_slices(lanes: int, device: torch.device) -> list[slice]:
    """The lanes of each band.

    Args:
        lanes: How many lanes there are.
        device: Where they are; a GPU computes what is not needed faster than it takes more calls.
    """
    count = max(1, lanes // BAND) if device.type == "cpu" else 1
    ends = np.linspace(0, lanes, count + 1).astype(int).tolist()
    return [slice(first, last) for first, last in pairwise(ends)]


_bands: ContextVar[list[Band] | None] = ContextVar("bands", default=None)


@contextmanager
def banded(bands: list[Band]) -> Iterator[None]:
    """Has steered models attend by bands, from the bands' own caches, inside the context."""
    token = _bands.set(bands)
    try:
        yield
    finally:
        _bands.reset(token)


def current_bands() -> list[Band] | None:
    """The bands of the forward that is under way; None where there are none."""
    return _bands.get()
