"""The sentences to come: drawn in a seeded order, read by the host in batches ahead of need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs.queue import Batch, Queue, append, packed, padded, unpacked
from rlattn.envs.store import RowStore
from rlattn.errors import InputError
from rlattn.hosts import Encoded, Seq2SeqHost
from rlattn.hosts.greedy import greedy
from rlattn.storage.state import State, part, parts, take

_NONE = np.zeros((0, 2), np.int64)

Prefix = Literal["free", "reference", "host"]
"""What is fed back: the steered output, the reference, or the host's own greedy output."""


@dataclass(frozen=True)
class Episodes:
    """Sentences that are ready to start, one row each.

    Attributes:
        encoded: What the host knows of them.
        rows: Which rows of `encoded` they are, ``[count]``.
        sources: Their tokens, int64, zero beyond the end, ``[count, max_source]``.
        memory: Names of their first rows in the store of memories, ``[count]``.
        native: Names of their first rows in the store of native outputs, ``[count]``.
        targets: The tokens that are fed back, ``[count, max_target]``; unused in free mode.
        pairs: Their texts.
    """

    encoded: Encoded
    rows: np.ndarray
    sources: np.ndarray
    memory: np.ndarray
    native: np.ndarray
    targets: np.ndarray
    pairs: list[Pair]

    def pick(self, rows: np.ndarray) -> Episodes:
        """Some of them."""
        return Episodes(
            self.encoded,
            self.rows[rows],
            self.sources[rows],
            self.memory[rows],
            self.native[rows],
            self.targets[rows],
            [self.pairs[row] for row in rows],
        )

    def state_dict(self) -> State:
        """All of it but the encoder's output, which nobody asks for again."""
        return {
            "mask": self.encoded.mask,
            "cross": self.encoded.cross,
            "rows": self.rows,
            "sources": self.sources,
            "memory": self.memory,
            "native": self.native,
            "targets": self.targets,
            "pairs": packed(self.pairs),
        }

    def like(self, state: State) -> Episodes:
        """Others of the same host, from their state."""
        mask = take(state, "mask", self.encoded.mask, (None, None))
        layers, _, heads, _, width = self.encoded.cross.shape
        cross = take(state, "cross", self.encoded.cross, (layers, len(mask), heads, None, width))
        names = ("rows", "memory", "native")
        rows, memory, native = (take(state, name, self.rows, (None,)) for name in names)
        return Episodes(
            Encoded(cross.new_zeros(*mask.shape, 0), mask, cross),
            rows,
            take(state, "sources", self.sources, (len(rows), self.sources.shape[1])),
            memory,
            native,
            take(state, "targets", self.targets, (len(rows), self.targets.shape[1])),
            unpacked(state),
        )


class EpisodeQueue(Queue):
    """Draws sentences from a corpus split, epoch after epoch.

    A few batches are read at a time. Each sentence of them is waited for by the band of lanes that
    suits its length; the bands get equal shares of the work, and a lane whose band has nothing left
    takes from another, so that all are used before more are read: every sentence is drawn once in
    an epoch, whatever its length.

    Args:
        host: The frozen model.
        split: The sentences.
        prefix: What will be fed back.
        native: Whether to store the native outputs along the prefix.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        lanes: For how many lanes.
        bands: How many bands they form.
        copies: How many lanes get each sentence, one right after the other.
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
        lanes: int,
        bands: int = 1,
        copies: int = 1,
    ) -> None:
        self._host, self._prefix = host, prefix
        self._native, self._bands, self._copies = native, bands, copies
        self._max_target = max_target
        self._piece = max(1, lanes // (bands * copies))
        self._greedy: dict[int, list[int]] = {}  # by their places: no more than the split has
        self.natives = RowStore(host.d_head, torch.float32, host.device)
        super().__init__(host, split, max_source=max_source, lanes=lanes, copies=copies)

    def seed(self, seed: int) -> None:
        """Begins a new order of the corpus."""
        super().seed(seed)
        self._read_ahead: list[Episodes] = []
        # For each band, batch and row of every sentence that waits for it, ``[waiting, 2]``.
        self._waiting: list[np.ndarray] = []
        self._oldest_native = 0

    def state_dict(self) -> State:
        """What is still to come, but for memories and native outputs."""
        lengths = np.fromiter(map(len, self._greedy.values()), np.int64, len(self._greedy))
        tokens = [token for target in self._greedy.values() for token in target]
        return {
            **super().state_dict(),
            "read_ahead": [episodes.state_dict() for episodes in self._read_ahead],
            "waiting": self._waiting,
            "oldest_native": self._oldest_native,
            "greedy": {
                "indices": np.fromiter(self._greedy, np.int64, len(self._greedy)),
                "lengths": lengths,
                "tokens": np.array(tokens, np.int64),
            },
        }

    def load_state_dict(self, state: State) -> None:
        """Goes on where another queue of the same split was, once this one has begun, too."""
        super().load_state_dict(state)
        one = self._read_ahead[0]
        self._read_ahead = [one.like(each) for each in parts(state, "read_ahead")]
        waiting = parts(state, "waiting")
        if len(waiting) != self._bands:
            raise InputError(f"{len(waiting)} bands wait for sentences: expected {self._bands}")
        self._waiting = [take({"waiting": each}, "waiting", _NONE, (None, 2)) for each in waiting]
        self._oldest_native = take(state, "oldest_native", 0)
        known = part(state, "greedy")
        indices, lengths, tokens = (
            take(known, name, one.rows, (None,)) for name in ("indices", "lengths", "tokens")
        )
        targets = np.split(tokens, np.cumsum(lengths)[:-1])
        self._greedy = {
            int(i): target.tolist() for i, target in zip(indices, targets, strict=False)
        }

    @property
    def oldest_native(self) -> int:
        """The name of the first native row that a waiting sentence has."""
        return self._oldest_native if self._waits else self.natives.end

    @property
    def _waits(self) -> bool:
        return any(map(len, self._waiting))

    def take(self, bands: np.ndarray) -> Iterator[tuple[np.ndarray, Episodes]]:
        """The next sentences for some lanes.

        Args:
            bands: The band of each lane, ``[count]``.

        Yields:
            Which of these lanes, ``[some]``, and a sentence for each of them; in one or more
            pieces that cover every lane once.
        """
        left = np.arange(len(bands))
        while len(left):
            if not self._waits:
                self._read()
            served, left, chosen = self._serve(left, bands)
            for batch, places in self._by_batch(
                np.stack([chosen[:, 0], np.arange(len(chosen))], axis=1)
            ):
                yield served[places], self._read_ahead[batch].pick(chosen[places, 1])

    def _serve(
        self, lanes: np.ndarray, bands: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gives lanes what waits: those served, those left, and batch and row for the former."""
        served, left, chosen = [], [lanes[:0]], [_NONE]
        for band in np.unique(bands[lanes]):
            mine = lanes[bands[lanes] == band]
            # A band that is out of its own sentences helps where most are left.
            source = band if len(self._waiting[band]) else np.argmax([*map(len, self._waiting)])
            got = self._waiting[source][: len(mine)]
            self._waiting[source] = self._waiting[source][len(mine) :]
            served.append(mine[: len(got)])
            left.append(mine[len(got) :])
            chosen.append(got)
        return np.concatenate(served), np.concatenate(left), np.concatenate(chosen)

    @staticmethod
    def _by_batch(places: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        for batch in np.unique(places[:, 0]):
            yield int(batch), places[places[:, 0] == batch, 1]

    def _read(self) -> None:
        """Reads a few batches of sentences of like length, and gives each band its share."""
        batches = self._draw()
        self._oldest_native = self.natives.end
        self._read_ahead = [self._prepare(batch) for batch in batches]
        lengths = np.array([len(source) for batch in batches for source in batch.sources])
        # A sentence takes about as many steps as it has tokens; so much work lies before each.
        before = np.cumsum(lengths) - lengths
        band = before * self._bands // lengths.sum()
        places = np.stack(np.divmod(np.arange(len(lengths)), self._batch), axis=1)
        self._waiting = []
        for number in range(self._bands):
            mine = places[band == number]
            # Like lengths stay together; which of them come first is left to chance, for what is
            # learned from a rollout should not depend on where in the lengths it fell.
            pieces = np.split(mine, range(self._piece, len(mine), self._piece))
            shuffled = self._rng.permutation(len(pieces))
            mine = np.concatenate([pieces[piece] for piece in shuffled])
            self._waiting.append(mine.repeat(self._copies, axis=0))

    def _prepare(self, batch: Batch) -> Episodes:
        encoded = self._host.encode(batch.sources)
        targets, native = self._targets(batch.indices, batch.pairs, encoded)
        names = np.zeros(len(targets), np.int64)
        if native is not None:
            names = append(self.natives, native, targets)
        memory = self._remember(encoded.memory, encoded.mask, batch.sources)
        read, fed = padded(batch.sources, self._max_source), padded(targets, self._max_target)
        return Episodes(encoded, np.arange(len(read)), read, memory, names, fed, batch.pairs)

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
