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

BAND = 64
"""Lanes in a band: fewer would cost more in calls than they save in columns."""


@dataclass
class Band:
    """Neighbouring lanes that attend together in a forward of one token.

    Attributes:
        lanes: Which lanes.
        source: How many leading source positions they read.
        target: How many trailing positions of their own past they read.
        cross: Keys and values of each cross-attention layer, ``[lanes, heads, source, d_head]``.
        own: Keys and values of the self-attention layer that is at work,
            ``[lanes, heads, target, d_head]``.
        own_bias: What the self-attention of all layers adds to its logits; made by the first.
    """

    lanes: slice
    source: int
    target: int
    cross: list[tuple[Tensor, Tensor]]
    own: tuple[Tensor, Tensor] | None = None
    own_bias: Tensor | None = None

    def cut_source(self, rows: Tensor | None) -> Tensor | None:
        """This band's part of something ``[lanes or 1, ..., source]``."""
        return None if rows is None else self._lanes_of(rows)[..., : self.source]

    def cut_target(self, rows: Tensor | None) -> Tensor | None:
        """This band's part of something ``[lanes or 1, ..., target]``, the newest column last."""
        return None if rows is None else self._lanes_of(rows)[..., -self.target :]

    def _lanes_of(self, rows: Tensor) -> Tensor:
        return rows if len(rows) == 1 else rows[self.lanes]


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
