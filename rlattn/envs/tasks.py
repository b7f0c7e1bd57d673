"""The translation task by names alone, so that an environment id can say all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from inspect import Parameter, signature
from typing import Any, Literal

from rlattn.actions import make_family
from rlattn.corpora import ParallelCorpus, load_corpus
from rlattn.envs.core import TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError, closest
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.rewards import TotalReward, WeightSpec


@lru_cache(maxsize=4)
def _corpus(name: str) -> ParallelCorpus:
    return load_corpus(name)


@lru_cache(maxsize=4)
def _host(name: str, device: str, corpus: str) -> Seq2SeqHost:
    return load_host(name, device, partial(_corpus, corpus))


def make_core(
    corpus: str = "locale:en-de",
    host: str | None = None,
    *,
    split: Literal["train", "valid", "test"] = "train",
    action: str = "gate",
    reward: Mapping[str, WeightSpec] | None = None,
    reads_target: float | None = None,
    prefix: Prefix = "host",
    device: str = "cpu",
    **settings: Any,
) -> TranslationCore:
    """Builds the batched core of a translation environment; corpora and hosts are kept.

    Args:
        corpus: See `rlattn.corpora.load_corpus`.
        host: See `rlattn.hosts.load_host`; the embedded one for the default corpus, when none is
            given.
        split: Which of the corpus's splits.
        action: The name of an action family.
        reward: The weight of each reward term; ``{"agreement": 1.0, "reads": -0.3}`` by default.
        reads_target: Adapt the weight of the reads until this fraction of the source is read.
        prefix: What is fed back: ``"free"``, ``"reference"`` or ``"host"``.
        device: Where the host and the lanes are.
        **settings: What `TranslationCore` takes: `lanes`, `max_source`, `max_target`, `horizon`,
            `copies`, `seed`.

    Raises:
        InputError: If something is unknown or out of range.
    """
    check_settings(settings)
    if split not in ("train", "valid", "test"):
        raise InputError(f"unknown split {split!r}: expected train, valid or test")
    if host is None:
        if corpus != "locale:en-de":
            raise InputError(
                f"corpus {corpus} needs a host: give a local folder, a hub id, or builtin:5min to "
                "train a small one on the corpus"
            )
        host = "embedded"
    if reward is None:
        reward = {"agreement": 1.0, "reads": -0.3}
    return TranslationCore(
        # Only a host that is trained on the corpus depends on it; any other is loaded once.
        _host(host, device, corpus if host.startswith("builtin") else ""),
        getattr(_corpus(corpus), split),
        family=make_family(action),
        reward=TotalReward(reward, reads_target),
        prefix=prefix,
        **settings,
    )


def check_settings(names: Iterable[str]) -> None:
    """Refuses names of settings that `make_core` does not take.

    Raises:
        InputError: If there is one; says which name is closest.
    """
    own = signature(make_core).parameters.values()
    known = {parameter.name for parameter in own if parameter.kind is not Parameter.VAR_KEYWORD}
    known |= signature(TranslationCore).parameters.keys() - {"family"}
    for name in names:
        if name not in known:
            raise InputError(f"unknown setting {name!r}: {closest(name, known)}")
