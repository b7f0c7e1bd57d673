"""The search as it is described: one sentence, one change at a time, the model's own cache."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import Allocation, steer
from tests.hosts.tiny import EOS, SOURCE, TARGET


class Tried(NamedTuple):
    """One change, and what came of it."""

    reads: float
    log_probabilities: Tensor
    cache: Any


class Twin:
    """A host on one pair."""

    def __init__(self, host: Seq2SeqHost, pair: Pair) -> None:
        self.host = host
        self.ids = torch.tensor(host.tokenize([pair.source], SOURCE).ids)
        self.reference = host.tokenize_target([pair.target], TARGET).ids[0]
        with torch.no_grad():
            self.encoder = host.model.get_encoder()(input_ids=self.ids)

    def attempt(self, cache: Any, fed: int, allocation: Allocation | None, reads: float) -> Tried:
        """One step from a past that is left as it was."""
        past = copy.deepcopy(cache)
        with torch.no_grad(), steer(self.host.model, allocation):
            logits = self.host.model(
                encoder_outputs=self.encoder,
                attention_mask=torch.ones_like(self.ids),
                decoder_input_ids=torch.tensor([[fed]]),
                past_key_values=past,
                use_cache=True,
            ).logits
        return Tried(reads, logits[0, -1].log_softmax(-1), past)

    def changes(self, cache: Any, fed: int, boosts: Sequence[float]) -> list[Tried]:
        """Every change from a past, native first."""
        source = self.ids.shape[1]
        tried = [self.attempt(cache, fed, None, 1.0)]
        for one in torch.eye(source)[:, None]:
            tried.append(self.attempt(cache, fed, Allocation("gate", one > 0), 1 / source))
            for boost in boosts:
                tried.append(self.attempt(cache, fed, Allocation("bias", boost * one), 1.0))
        return tried

    def likeliest(self, boosts: Sequence[float] | None) -> tuple[float, int]:
        """Log-likelihood of the reference, and how often its token is written; None is native."""
        cache, fed = _fresh(), self.host.start_token
        total, right = 0.0, 0
        for token in self.reference:
            first = self.attempt(cache, fed, None, 1.0)
            tried = [first] if boosts is None else self.changes(cache, fed, boosts)
            best = max(tried, key=lambda each: each.log_probabilities[token].item())
            total += best.log_probabilities[token].item()
            right += int(best.log_probabilities.argmax()) == token
            cache, fed = best.cache, token
        return total, right

    def write(self, boosts: Sequence[float]) -> tuple[list[int], float]:
        """What is written along the reference for as long as may be, and what is read."""
        cache, written = _fresh(), [self.host.start_token]
        along, reads = True, []
        for step in range(TARGET):
            tried = [self.attempt(cache, written[-1], None, 1.0)]
            if along:
                token = self.reference[step]
                tried = self.changes(cache, written[-1], boosts)
                writing = [t for t in tried if int(t.log_probabilities.argmax()) == token]
                best = max(writing or tried, key=lambda t: t.log_probabilities[token].item())
                # Of changes, native attention comes first.
                tried = [tried[0] if writing and writing[0] is tried[0] else best]
            cache = tried[0].cache
            reads.append(tried[0].reads)
            written.append(int(tried[0].log_probabilities.argmax()))
            along = along and written[-1] == token
            if written[-1] == EOS:
                break
        return written[1:], sum(reads) / len(reads)


def _fresh() -> EncoderDecoderCache:
    return EncoderDecoderCache(DynamicCache(), DynamicCache())
