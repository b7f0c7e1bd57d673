"""The translation task by names alone, so that an environment id can say all of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

from rlattn.actions import make_family
from rlattn.corpora import ParallelCorpus, load_corpus
from rlattn.envs.core import TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.rewards import TotalReward


@lru_cache(maxsize=4)
def _corpus(name: str) -> ParallelCorpus:
    return load_corpus(name)


@lru_cache(maxsize=4)
def _host(name: str, device: str) -> Seq2SeqHost:
    return load_host(name, device)


def make_core(
    corpus: str = "locale:en-de",
    host: str = "embedded",
    *,
    split: Literal["train", "valid", "test"] = "train",
    action: str = "gate",
    reward: Mapping[str, float] | None = None,
    reads_target: float | None = None,
    prefix: Prefix = "host",
    device: str = "cpu",
    **settings: Any,
) -> TranslationCore:
    """Builds the batched core of a translation environment; corpora and hosts are kept.

    Args:
        corpus: See `rlattn.corpora.load_corpus`.
        host: See `rlattn.hosts.load_host`.
        split: Which of the corpus's splits.
        action: The name of an action family.
        reward: The weight of each reward term; ``{"agreement": 1.0, "reads": -0.3}`` by default.
        reads_target: Adapt the weight of the reads until this fraction of the source is read.
        prefix: What is fed back: ``"free"``, ``"reference"`` or ``"host"``.
        device: Where the host and the lanes are.
        **settings: What `TranslationCore` takes: `lanes`, `max_source`, `max_target`, `horizon`,
            `seed`.

    Raises:
        InputError: If something is unknown or out of range.
    """
    if split not in ("train", "valid", "test"):
        raise InputError(f"unknown split {split!r}: expected train, valid or test")
    weights = {"agreement": 1.0, "reads": -0.3} if reward is None else dict(reward)
    return TranslationCore(
        _host(host, device),
        getattr(_corpus(corpus), split),
        family=make_family(action),
        reward=TotalReward(weights, reads_target),
        prefix=prefix,
        **settings,
    )
