"""What is learned from along given targets: batches of sentences of like length, without end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.hosts import Encoded, Host, Seq2SeqHost
from rlattn.hosts.greedy import greedy
from rlattn.hosts.seq2seq import pad

_AHEAD = 8
"""How many batches are drawn at a time, so that those of like length can go together."""

GivenPrefix = Literal["reference", "host"]
"""A prefix that is known ahead: the reference, or the host's own greedy output."""


@dataclass(frozen=True)
class Lesson:
    """Sentences that are gone through together, those with longer targets first.

    Attributes:
        encoded: What the host knows of them.
        source: Their tokens, int64, ``[lanes, source]``.
        targets: The tokens of their targets, padded, int64, ``[lanes, target]``.
        lengths: How many of them are real, falling, ``[lanes]``.
    """

    encoded: Encoded
    source: Tensor
    targets: Tensor
    lengths: np.ndarray

    @property
    def tokens(self) -> int:
        """Real target tokens of all lanes: environment steps."""
        return int(self.lengths.sum())

    def live(self, step: int) -> int:
        """How many lanes, the first ones, have a target token at a step that counts from 0."""
        return int((self.lengths > step).sum())


def lessons(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    *,
    prefix: GivenPrefix,
    lanes: int,
    max_source: int,
    max_target: int,
    seed: int,
) -> Iterator[Lesson]:
    """Walks over all sentences again and again, in another order each time.

    Args:
        host: The frozen translator.
        pairs: The sentences.
        prefix: What the targets are.
        lanes: Sentences in a batch.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        seed: Fixes the orders.

    Yields:
        Batches without end.
    """
    known: dict[int, list[int]] = {}
    for indices, read in batches(host, pairs, lanes=lanes, max_source=max_source, seed=seed):
        encoded = host.encode(read)
        if prefix == "reference":
            texts = [pairs[i].target for i in indices]
            targets = host.tokenize_target(texts, max_target).ids
        else:
            if not known.keys() >= set(indices):
                known |= zip(indices, greedy(host, encoded, max_target)[0], strict=True)
            targets = [known[i] for i in indices]
        yield make_lesson(host, encoded, read, targets)


def batches(
    host: Host, pairs: Sequence[Pair], *, lanes: int, max_source: int, seed: int
) -> Iterator[tuple[list[int], list[list[int]]]]:
    """Walks over all sources again and again, in another order each time, by like length.

    Args:
        host: Its tokenizer is asked.
        pairs: The sentences.
        lanes: Sentences in a batch.
        max_source: Longer sources are cut, in tokens.
        seed: Fixes the orders.

    Yields:
        The indices of some pairs, and the tokens of their sources, without end.
    """
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while True:
        while len(order) < _AHEAD * lanes:
            order += rng.permutation(len(pairs)).tolist()
        drawn, order = np.array(order[: _AHEAD * lanes]), order[_AHEAD * lanes :]
        sources = host.tokenize([pairs[i].source for i in drawn], max_source).ids
        by_length = np.argsort([len(row) for row in sources], kind="stable")
        for batch in rng.permutation(by_length.reshape(_AHEAD, lanes)):
            yield drawn[batch].tolist(), [sources[row] for row in batch]


def make_lesson(
    host: Seq2SeqHost,
    encoded: Encoded,
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
) -> Lesson:
    """A lesson of some sentences, in an order that suits it.

    Args:
        host: The frozen translator.
        encoded: What it knows of them.
        sources: Their tokens.
        targets: The tokens of their targets, at least one each.
    """
    lengths = np.fromiter(map(len, targets), np.int64, len(targets))
    order = np.argsort(-lengths, kind="stable")
    rows = torch.as_tensor(order, device=host.device)
    (read, _), (written, _) = (pad(ids, host.pad_token) for ids in (sources, targets))
    return Lesson(
        Encoded(encoded.memory[rows], encoded.mask[rows], encoded.cross[:, rows]),
        read.to(host.device)[rows],
        written.to(host.device)[rows],
        lengths[order],
    )
