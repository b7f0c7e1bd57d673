"""Tasks by names alone, so that an environment id can say all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from inspect import Parameter, signature
from typing import Any, Literal, get_args

from rlattn.actions import make_family
from rlattn.corpora import ParallelCorpus, load_corpus
from rlattn.envs.base import Core
from rlattn.envs.classification import ClassificationCore
from rlattn.envs.core import TranslationCore
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError, closest
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.rewards import TotalReward, WeightSpec

Kind = Literal["translation", "classification"]
"""What the host makes of a text."""

Split = Literal["train", "valid", "test"]


@lru_cache(maxsize=4)
def _corpus(name: str) -> ParallelCorpus:
    return load_corpus(name)


@lru_cache(maxsize=4)
def _host(name: str, device: str, corpus: str) -> Seq2SeqHost:
    return load_host(name, device, partial(_corpus, corpus))


@lru_cache(maxsize=4)
def _classifier(name: str, device: str, corpus: str) -> ClassifierHost[Any]:
    return load_classifier(name, partial(_corpus, corpus), device)


def make_core(
    corpus: str = "locale:en-de",
    host: str | None = None,
    *,
    split: Split = "train",
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
    _check_split(split)
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


def make_classification_core(
    corpus: str = "kinds:en",
    host: str = "builtin",
    *,
    split: Split = "train",
    action: str = "gate",
    reward: Mapping[str, WeightSpec] | None = None,
    reads_target: float | None = None,
    device: str = "cpu",
    **settings: Any,
) -> ClassificationCore:
    """Builds the batched core of a classification environment; corpora and hosts are kept.

    Args:
        corpus: See `rlattn.corpora.load_corpus`; its targets are labels.
        host: See `rlattn.hosts.classifier.load_classifier`; by default a small one, which is
            trained on the corpus for a minute when it is asked for the first time.
        split: Which of the corpus's splits.
        action: The name of an action family.
        reward: The weight of each reward term; by default
            ``{"final:probability": 1.0, "reads": -0.2}``.
        reads_target: Adapt the weight of the reads until this fraction of a text is read.
        device: Where the host and the lanes are.
        **settings: What `ClassificationCore` takes: `lanes`, `max_source`, `steps`, `stop`,
            `horizon`, `seed`.

    Raises:
        InputError: If something is unknown or out of range.
    """
    check_settings(settings, "classification")
    _check_split(split)
    if reward is None:
        reward = {"final:probability": 1.0, "reads": -0.2}
    return ClassificationCore(
        _classifier(host, device, corpus),
        getattr(_corpus(corpus), split),
        family=make_family(action),
        reward=TotalReward(reward, reads_target),
        **settings,
    )


_MAKERS: dict[Kind, tuple[Callable[..., Core], type[Core]]] = {
    "translation": (make_core, TranslationCore),
    "classification": (make_classification_core, ClassificationCore),
}


def make_any_core(kind: Kind = "translation", **settings: Any) -> Core:
    """Builds a core of either kind.

    Args:
        kind: What the host makes of a text.
        **settings: What `make_core` or `make_classification_core` takes, by name.

    Raises:
        InputError: If something is unknown or out of range.
    """
    return _maker(kind)[0](**settings)


def check_settings(names: Iterable[str], kind: Kind = "translation") -> None:
    """Refuses names of settings that the maker of a kind's core does not take.

    Raises:
        InputError: If there is one; says which name is closest.
    """
    make, core = _maker(kind)
    own = signature(make).parameters.values()
    known = {parameter.name for parameter in own if parameter.kind is not Parameter.VAR_KEYWORD}
    known |= signature(core).parameters.keys() - {"family"}
    for name in names:
        if name not in known:
            raise InputError(f"unknown setting {name!r}: {closest(name, known)}")


def _maker(kind: Kind) -> tuple[Callable[..., Core], type[Core]]:
    if kind not in _MAKERS:
        raise InputError(f"unknown kind {kind!r}: expected one of {', '.join(get_args(Kind))}")
    return _MAKERS[kind]


def _check_split(split: str) -> None:
    if split not in get_args(Split):
        raise InputError(f"unknown split {split!r}: expected train, valid or test")
