"""The sentences to come: drawn in a seeded order, read by the host in batches ahead of need."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs.store import RowStore
from rlattn.hosts import Encoded, LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.observation import compact

Prefix = Literal["free", "reference", "host"]
"""What is fed back: the steered output, the reference, or the host's own greedy output."""

_AHEAD = 4
"""How many batches are read at a time, so that sentences of like length can go together."""


@dataclass(frozen=True)
class Episodes:
    """Sentences that are ready to start, one row each.

    Attributes:
        encoded: What the host knows of them.
        rows: Which rows of `encoded` they are, ``[count]``.
        memory: Names of their first rows in the store of memories, ``[count]``.
        native: Names of their first rows in the store of native outputs, ``[count]``.
        targets: The tokens that are fed back, ``[count, max_target]``; unused in free mode.
        pairs: Their texts.
    """

    encoded: Encoded
    rows: np.ndarray
    memory: np.ndarray
    native: np.ndarray
    targets: np.ndarray
    pairs: list[Pair]


class EpisodeQueue:
    """Draws sentences from a corpus split, epoch after epoch.

    Args:
        host: The frozen model.
        split: The sentences.
        prefix: What will be fed back.
        native: Whether to store the native outputs along the prefix.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        batch: How many sentences are read in one forward.
    """

    def __init__(
        self,
        host: Seq2SeqHost,
        split: Sequence[Pair],
        *,
        prefix: Prefix,
        native: bool,
        max_source: int,
        max_target: int,
        batch: int,
    ) -> None:
        self._host, self._split, self._prefix = host, split, prefix
        self._native = native
        self._max_source, self._max_target, self._batch = max_source, max_target, batch
        self._greedy: dict[int, list[int]] = {}
        self.memories = RowStore(host.d_model, torch.float16, host.device)
        self.natives = RowStore(host.d_head, torch.float32, host.device)
        self.truncated = 0
        self.seed(0)

    def seed(self, seed: int) -> None:
        """Begins a new order of the corpus."""
        self._rng = np.random.default_rng(seed)
        self._order = iter(())  # type: Iterator[int]
        self._ready: deque[Episodes] = deque()

    def oldest(self) -> tuple[int, int]:
        """The names of the first memory and native rows that waiting sentences hold."""
        if not self._ready:
            return self.memories.end, self.natives.end
        return int(self._ready[0].memory[0]), int(self._ready[0].native[0])

    def take(self, count: int) -> Iterator[Episodes]:
        """The next `count` sentences, in one or more pieces."""
        while count:
            if not self._ready:
                self._ready.extend(self._read())
            ready = self._ready.popleft()
            if len(ready.rows) > count:
                self._ready.appendleft(_part(ready, slice(count, None)))
                ready = _part(ready, slice(count))
            count -= len(ready.rows)
            yield ready

    def _next_index(self) -> int:
        index = next(self._order, None)
        if index is None:
            self._order = iter(self._rng.permutation(len(self._split)).tolist())
            index = next(self._order)
        return index

    def _read(self) -> list[Episodes]:
        """Reads a few batches: sentences of like length together, in random order of batches."""
        indices = np.array([self._next_index() for _ in range(_AHEAD * self._batch)])
        pairs = [self._split[i] for i in indices]
        sources = self._host.tokenize([pair.source for pair in pairs], self._max_source)
        self.truncated += sources.truncated
        order = np.argsort([len(row) for row in sources.ids], kind="stable").reshape(_AHEAD, -1)
        return [
            self._prepare(
                indices[batch].tolist(), [pairs[i] for i in batch], [sources.ids[i] for i in batch]
            )
            for batch in self._rng.permutation(order)
        ]

    def _prepare(self, indices: list[int], pairs: list[Pair], sources: list[list[int]]) -> Episodes:
        encoded = self._host.encode(sources)
        targets, native = self._targets(indices, pairs, encoded)
        names = np.zeros(len(pairs), np.int64)
        if native is not None:
            names = _append(self.natives, native, targets)
        memory = _append(self.memories, compact(encoded.memory[encoded.mask]), sources)
        fed = np.zeros((len(pairs), self._max_target), np.int64)
        for row, target in zip(fed, targets, strict=True):
            row[: len(target)] = target
        return Episodes(encoded, np.arange(len(pairs)), memory, names, fed, pairs)

    def _targets(
        self, indices: list[int], pairs: list[Pair], encoded: Encoded
    ) -> tuple[list[list[int]], Tensor | None]:
        """The tokens to feed back and, where wanted, the native output for each of them."""
        if self._prefix == "free":
            return [[]] * len(pairs), None
        if self._prefix == "reference":
            tokenized = self._host.tokenize_target([p.target for p in pairs], self._max_target)
            self.truncated += tokenized.truncated
            targets = tokenized.ids
        elif all(i in self._greedy for i in indices):
            targets = [self._greedy[i] for i in indices]
        else:
            targets, native = greedy(self._host, encoded, self._max_target)
            self._greedy.update(zip(indices, targets, strict=True))
            return targets, native if self._native else None
        if not self._native:
            return targets, None
        forced = self._host.force(encoded, targets)
        lengths = torch.tensor([len(row) for row in targets], device=forced.device)
        return targets, forced[
            torch.arange(forced.shape[1], device=forced.device) < lengths[:, None]
        ]


def greedy(host: Seq2SeqHost, encoded: Encoded, max_target: int) -> tuple[list[list[int]], Tensor]:
    """The host's own greedy output for some sources.

    Args:
        host: The frozen model.
        encoded: The sources.
        max_target: The most tokens it may write.

    Returns:
        The token ids of each target, with its end token; and what the output layer was given for
        each of these tokens, target after target, ``[tokens, d_head]``.
    """
    decoder = LaneDecoder(host, LaneSources.of(encoded), max_target)
    count = len(encoded.mask)
    tokens = torch.full((count,), host.start_token, device=host.device)
    ends = torch.tensor(host.eos_tokens, device=host.device)
    rows = torch.arange(count, device=host.device)
    live = torch.ones_like(rows, dtype=torch.bool)
    owners, written, heads = [], [], []
    for step in range(max_target):
        if 2 * int(live.sum()) <= len(live):
            # Half of the lanes are done: go on with the others.
            decoder.keep(live.nonzero()[:, 0].cpu().numpy())
            tokens, rows, live = tokens[live], rows[live], live[live]
        output = decoder.step(tokens)
        first, last = (torch.full_like(live, step == t) for t in (0, max_target - 1))
        tokens = host.choose(output.logits, first, last)
        owners.append(rows[live])
        written.append(tokens[live])
        heads.append(output.head[live])
        live = live & ~torch.isin(tokens, ends)
        if not live.any():
            break
    owner, order = torch.cat(owners).sort(stable=True)
    lengths = torch.bincount(owner, minlength=count).tolist()
    targets = [row.tolist() for row in torch.split(torch.cat(written)[order], lengths)]
    return targets, torch.cat(heads)[order]


def _append(store: RowStore, rows: Tensor, episodes: Sequence[Sequence[int]]) -> np.ndarray:
    lengths = np.fromiter(map(len, episodes), np.int64, len(episodes))
    first: np.ndarray = store.append(rows) + np.cumsum(lengths) - lengths
    return first


def _part(episodes: Episodes, which: slice) -> Episodes:
    return Episodes(
        episodes.encoded,
        episodes.rows[which],
        episodes.memory[which],
        episodes.native[which],
        episodes.targets[which],
        episodes.pairs[which],
    )
