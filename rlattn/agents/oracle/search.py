"""The search: every change of attention at a single position is tried, and the best is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.errors import InputError
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.steering import Allocation

_FAR = 1e9
"""A bias that leaves a position with no weight at all, beside one without it."""


class Found(NamedTuple):
    """The best change for each sentence; of sentences that were dropped, it means nothing.

    Attributes:
        log_likelihood: Of the token that was wanted, ``[sentences]``.
        token: What the host writes under it, ``[sentences]``.
        opened: True at the positions that it leaves open, ``[sentences, source]``.
        attention: What was used, mean over layers and heads, ``[sentences, source]``; None if it
            was not recorded.
    """

    log_likelihood: Tensor
    token: Tensor
    opened: Tensor
    attention: Tensor | None


class Search:
    """Decodes some sentences, each with a lane for every change; all go on from the best.

    The changes are: none; for each position, all attention on it; for each position and boost, a
    bias on it. They are the same in all layers and heads. Each lane writes its own column of the
    past, as beams would, so that trying a change and keeping it is one forward.

    Args:
        host: The frozen translator.
        rows: Token ids of each source.
        boosts: Biases in nats; above 0 to open a position wider, below to shut it somewhat.
        max_target: The most tokens to write.
        record: Whether to tell where the host looked.
    """

    def __init__(
        self,
        host: Seq2SeqHost,
        rows: Sequence[Sequence[int]],
        boosts: Sequence[float],
        max_target: int,
        *,
        record: bool = False,
    ) -> None:
        encoded = host.encode(rows)
        self.mask = encoded.mask
        self._host, self._max_target, self._step = host, max_target, 0
        self._table = _biases(encoded.mask.shape[1], boosts).to(host.device)
        kinds = 1 + len(boosts)
        exists = F.pad(encoded.mask.repeat(1, kinds), (1, 0), value=True)
        self._sentence, self._change = exists.nonzero(as_tuple=True)
        sources = LaneSources(len(self._sentence), encoded.mask.shape[1])
        sources.load(np.arange(sources.lanes), encoded, self._sentence.cpu().numpy())
        self._decoder = LaneDecoder(host, sources, max_target, record=record)

    def step(
        self, tokens: Tensor, wanted: Tensor, searched: Tensor, *, write: bool = False
    ) -> Found:
        """Feeds one token to every sentence, and goes on from the best change.

        Args:
            tokens: What is fed, ``[sentences]``.
            wanted: The token that should come next, ``[sentences]``.
            searched: Where False, nothing is changed, ``[sentences]``.
            write: Whether the host is to write the wanted token: then nothing is changed where it
                does so anyway, and changes under which it does come before others. Otherwise only
                the token's likelihood counts.
        """
        sentence, width = self._sentence, self._decoder.sources.width
        first, last = (
            torch.full_like(sentence, self._step == at, dtype=torch.bool)
            for at in (0, self._max_target - 1)
        )
        self._step += 1
        output = self._decoder.step(
            tokens[sentence], Allocation("bias", self._table[self._change, :width])
        )
        logits = output.logits.to(torch.promote_types(output.logits.dtype, torch.float32))
        asked = wanted[sentence]
        likely = logits.gather(1, asked[:, None])[:, 0] - logits.logsumexp(-1)
        written = self._host.choose(logits, first, last)
        unchanged = self._change == 0
        allowed = searched[sentence] | unchanged
        if write:
            right = (written == asked) & allowed
            enough, reached = (torch.zeros_like(searched) for _ in range(2))
            enough[sentence[right & unchanged]] = True
            reached[sentence[right]] = True
            allowed = torch.where(enough[sentence], unchanged, allowed)
            allowed = allowed & (right | ~reached[sentence])
        best = self._best(likely.masked_fill(~allowed, -torch.inf))
        self._decoder.follow(best[sentence])
        opened = self._table[self._change[best]] > -_FAR / 2
        attention = output.attention
        if attention is not None:
            attention = F.pad(attention[best], (0, self.mask.shape[1] - width))
        return Found(likely[best], written[best], opened & self.mask, attention)

    def drop(self, live: Tensor, searched: Tensor) -> None:
        """Lets go of lanes that are not needed, once they are half of all.

        Args:
            live: Which sentences go on, ``[sentences]``.
            searched: For which of them changes are still tried, ``[sentences]``.
        """
        sentence, change = self._sentence, self._change
        needed = live[sentence] & (searched[sentence] | (change == 0))
        if 2 * int(needed.sum()) <= len(needed):
            self._decoder.keep(needed.nonzero()[:, 0].cpu().numpy())
            self._sentence, self._change = sentence[needed], change[needed]

    def _best(self, score: Tensor) -> Tensor:
        """The lane with the highest score of each sentence; of equals, the least change."""
        shape = len(self.mask), len(self._table)
        scores = score.new_full(shape, -torch.inf)
        scores[self._sentence, self._change] = score
        lanes = torch.zeros(shape, dtype=torch.long, device=score.device)
        lanes[self._sentence, self._change] = torch.arange(len(score), device=score.device)
        return lanes.gather(1, scores.argmax(1, keepdim=True))[:, 0]


def _biases(source: int, boosts: Sequence[float]) -> Tensor:
    """The bias of each change: none, all attention on each position, and the boosts of each."""
    one = torch.eye(source)
    return torch.cat([torch.zeros(1, source), (one - 1) * _FAR, *(b * one for b in boosts)])


def batches(
    sources: Sequence[Sequence[int]], boosts: Sequence[float], lanes: int
) -> Iterator[list[int]]:
    """Which sentences to search together, those of like length, so that they need few lanes.

    Args:
        sources: Token ids of each source.
        boosts: As for `Search`.
        lanes: The most lanes; a sentence that needs more comes alone.

    Raises:
        InputError: If a boost is not a finite number.
    """
    if not np.isfinite(list(boosts)).all():
        raise InputError(f"boosts {list(boosts)}: expected finite numbers, in nats")
    here: list[int] = []
    used = 0
    for i in sorted(range(len(sources)), key=lambda i: len(sources[i])):
        needed = 1 + len(sources[i]) * (1 + len(boosts))
        if here and used + needed > lanes:
            yield here
            here, used = [], 0
        here.append(i)
        used += needed
    if here:
        yield here
