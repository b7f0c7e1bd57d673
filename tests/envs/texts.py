"""Small cores of classification over tiny sentences with labels that mean nothing."""

from __future__ import annotations

from typing import Any

from rlattn.actions import make_family
from rlattn.corpora import Pair
from rlattn.envs import ClassificationCore
from rlattn.hosts.classifier import ClassifierHost
from rlattn.rewards import TotalReward
from tests.hosts.classifier.small import LABELS
from tests.hosts.tiny import SOURCE, pairs

LANES = 3


def labelled(count: int) -> list[Pair]:
    """Tiny sentences, each with one of the labels of a small classifier."""
    return [Pair(pair.source, LABELS[n % len(LABELS)]) for n, pair in enumerate(pairs(count))]


def make(host: ClassifierHost[Any], **changes: Any) -> ClassificationCore:
    """A core over tiny sentences; gates, gain and reads, unless told otherwise."""
    settings: dict[str, Any] = {
        "split": labelled(40),
        "action": "gate",
        "reward": {"gain": 1.0, "reads": -0.5},
        "reads_target": None,
        "lanes": LANES,
        "max_source": SOURCE,
        "steps": 3,
        **changes,
    }
    family = make_family(settings.pop("action"))
    reward = TotalReward(settings.pop("reward"), settings.pop("reads_target"))
    return ClassificationCore(host, settings.pop("split"), family=family, reward=reward, **settings)
