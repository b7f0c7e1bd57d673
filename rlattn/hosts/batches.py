"""Batches of token sequences of similar length, each with about as many tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Batch(NamedTuple):
    """Token ids of a few pairs, padded on the right.

    Attributes:
        sources: ``[pairs, longest source]``, int64.
        targets: ``[pairs, longest target]``, int64.
    """

    sources: Tensor
    targets: Tensor


class Ragged:
    """Sequences of different lengths in one flat array.

    Args:
        rows: Token ids of each sequence.
        pad: The id that fills up shorter rows.
    """

    def __init__(self, rows: Sequence[Sequence[int]], pad: int) -> None:
        self.lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        self._starts = np.cumsum(self.lengths) - self.lengths
        self._tokens = np.fromiter((i for row in rows for i in row), np.int32, self.lengths.sum())
        self._pad = pad

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        """Returns the given rows, padded to the longest of them, ``[rows, longest]``."""
        columns = np.arange(self.lengths[rows].max())
        places = np.minimum(self._starts[rows, None] + columns, len(self._tokens) - 1)
        real = columns < self.lengths[rows, None]
        return torch.from_numpy(np.where(real, self._tokens[places], self._pad).astype(np.int64))


def batches(
    sources: Ragged, targets: Ragged, tokens: int, generator: np.random.Generator
) -> Iterator[Batch]:
    """Walks over all pairs again and again, in another order each time.

    Args:
        sources: Source sequences.
        targets: Target sequences, as many.
        tokens: The most positions on the longer side of a batch, padding included; a pair that is
            longer than that is a batch of its own.
        generator: What shuffles.

    Yields:
        Batches without end.
    """
    longest = np.maximum(sources.lengths, targets.lengths)
    while True:
        # Noise below 1 shuffles pairs of equal length and nothing else.
        order = np.argsort(longest + generator.random(len(longest)))
        cuts = list(_cuts(longest[order], tokens))
        for i in generator.permutation(len(cuts)):
            rows = order[cuts[i]]
            yield Batch(sources[rows], targets[rows])


def _cuts(ascending: np.ndarray, tokens: int) -> Iterator[slice]:
    start = 0
    for end, length in enumerate(ascending):
        if end > start and length * (end + 1 - start) > tokens:
            yield slice(start, end)
            start = end
    yield slice(start, len(ascending))
