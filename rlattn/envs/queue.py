"""Sources to come: drawn in a seeded order, some batches at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs.store import RowStore
from rlattn.hosts import Host
from rlattn.observation import compact
from rlattn.storage.state import State, part, parts, take

AHEAD = 4
"""How many sources a lane are read at a time, so that those of like length can go together."""

_FEWEST, _MOST = 16, 128
"""Sources in a batch. Fewer would be read ahead at the price of many; more leave the caches of a
CPU."""


class Batch(NamedTuple):
    """Sources of like length.

    Attributes:
        indices: Where in the split each stands.
        pairs: Their texts.
        sources: Their tokens.
    """

    indices: list[int]
    pairs: list[Pair]
    sources: list[list[int]]


class Queue(ABC):
    """Draws from a corpus split, epoch after epoch: each source once in an epoch.

    Args:
        host: The frozen model.
        split: The pairs.
        max_source: Longer sources are cut, in tokens.
        lanes: For how many lanes.
        copies: How many lanes get each source.

    Attributes:
        memories: What policies see of the sources that were read, row after row.
        truncated: How many sources were cut so far.
    """

    def __init__(
        self, host: Host, split: Sequence[Pair], *, max_source: int, lanes: int, copies: int = 1
    ) -> None:
        self._split, self._max_source = split, max_source
        self._tokenize = host.tokenize
        self._batch = min(max(lanes, _FEWEST), _MOST)
        self._batches = -(-AHEAD * lanes // (self._batch * copies))
        self.memories = RowStore(host.d_model, torch.float16, host.device)
        self.truncated = 0
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begins a new order of the corpus."""
        self._rng = np.random.default_rng(seed)
        self._order = np.zeros(0, np.int64)
        self._before_order: dict[str, Any] = {}  # the random state that the order came from
        self._drawn = 0
        self._oldest = 0

    def state_dict(self) -> State:
        """What is still to come, but for the memories."""
        return {
            "random": self._rng.bit_generator.state,
            "before_order": self._before_order,
            "drawn": self._drawn,
            "oldest": self._oldest,
            "truncated": self.truncated,
        }

    def load_state_dict(self, state: State) -> None:
        """Goes on where another queue of the same split was, which had the same memories."""
        if before := part(state, "before_order"):
            # The order itself may be as long as the corpus.
            self._rng.bit_generator.state = before
            self._shuffle()
        self._drawn = take(state, "drawn", 0)
        self._rng.bit_generator.state = part(state, "random")
        self._oldest, self.truncated = take(state, "oldest", 0), take(state, "truncated", 0)

    @property
    def oldest(self) -> int:
        """The name of the first memory row that a waiting source has."""
        return self._oldest if self._waits else self.memories.end

    @property
    @abstractmethod
    def _waits(self) -> bool:
        """Whether any source that was read is still to come."""

    def _draw(self) -> list[Batch]:
        """The next few batches, shorter sources before longer ones."""
        self._oldest = self.memories.end
        indices = np.array([self._next_index() for _ in range(self._batches * self._batch)])
        pairs = [self._split[i] for i in indices]
        sources = self._tokenize([pair.source for pair in pairs], self._max_source)
        self.truncated += sources.truncated
        lengths = np.fromiter(map(len, sources.ids), np.int64, len(indices))
        order = np.argsort(lengths, kind="stable")
        return [
            Batch(indices[rows].tolist(), [pairs[i] for i in rows], [sources.ids[i] for i in rows])
            for rows in order.reshape(-1, self._batch)
        ]

    def _next_index(self) -> int:
        if self._drawn == len(self._order):
            self._shuffle()
        self._drawn += 1
        return int(self._order[self._drawn - 1])

    def _shuffle(self) -> None:
        self._before_order = dict(self._rng.bit_generator.state)
        self._order, self._drawn = self._rng.permutation(len(self._split)), 0

    def _remember(self, memory: Tensor, mask: Tensor, sources: list[list[int]]) -> np.ndarray:
        """Keeps memories ``[rows, source, d_model]``; the names of their first rows, ``[rows]``."""
        return append(self.memories, compact(memory[mask]), sources)


def append(store: RowStore, rows: Tensor, parts: Sequence[Sequence[int]]) -> np.ndarray:
    """Stores as many rows for each part as it has tokens; the names of the first, ``[parts]``."""
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    first: np.ndarray = store.append(rows) + np.cumsum(lengths) - lengths
    return first


def padded(rows: Sequence[Sequence[int]], width: int) -> np.ndarray:
    """Tokens with zeros behind them, int64, ``[rows, width]``."""
    wide = np.zeros((len(rows), width), np.int64)
    for place, row in zip(wide, rows, strict=True):
        place[: len(row)] = row
    return wide


def packed(pairs: Sequence[Pair]) -> list[list[str]]:
    """Pairs as a state has them."""
    return [list(pair) for pair in pairs]


def unpacked(state: State, name: str = "pairs") -> list[Pair]:
    """The pairs of a state."""
    return [Pair(source, target) for source, target in parts(state, name)]
