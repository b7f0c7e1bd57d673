"""Every method that can be compared on a classifier, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rlattn.agents import LabelPoint
from rlattn.corpora import Pair
from rlattn.experiments.compare.labels import rules
from rlattn.experiments.compare.labels.bounds import write_clean, write_gated
from rlattn.experiments.compare.labels.gradients import (
    by_gradient,
    by_warm_ppo,
    train_label_weights,
    write_label_weights,
)
from rlattn.experiments.compare.labels.learning import (
    Learn,
    train_label_policy,
    write_label_policy,
)
from rlattn.experiments.compare.labels.reinforcement import by_ppo
from rlattn.experiments.compare.labels.scene import LabelScene, scored_labels
from rlattn.experiments.compare.method import Method, MethodKind, Methods
from rlattn.experiments.compare.scene import Found, Outcome
from rlattn.experiments.compare.tasks import OBJECTIVES
from rlattn.inference import Readings

LABEL_METHODS = Methods()
"""Every method for classifiers by its name."""

_Read = Callable[[LabelScene, Found, Sequence[Pair]], Readings]


def _untraced(
    scene: LabelScene, found: Found, pairs: Sequence[Pair], trace: bool, *, read: _Read
) -> Readings:
    return read(scene, found, pairs)


def _measured(scene: LabelScene, *, read: _Read) -> Outcome[LabelPoint]:
    """Of what has nothing to choose, how good it is on validation texts."""
    return Outcome(scored_labels(read(scene, {}, scene.valid), scene.valid))


def _fixed(name: str, kind: MethodKind, read: _Read, **traits: Any) -> Method:
    train, write = partial(_measured, read=read), partial(_untraced, read=read)
    return Method(name, kind, train, write, **traits)


def _ranking(name: str, rank: rules.Rank, **traits: Any) -> Method:
    read = partial(rules.write_top, rank=rank)
    train, write = partial(rules.choose_share, rank=rank), partial(_untraced, read=read)
    return Method(name, "rule", train, write, ("quality", "budget"), **traits)


def _learner(name: str, kind: MethodKind, learn: Learn) -> Method:
    train = partial(train_label_policy, learn=learn)
    return Method(name, kind, train, write_label_policy, OBJECTIVES, seeded=True)


for _method in (
    _fixed("native", "rule", rules.write_native),
    _fixed("uniform", "rule", rules.write_uniform),
    _ranking("random", rules.by_chance, seeded=True),
    _ranking("first", rules.by_place),
    _ranking("topk", rules.by_attention, needs_native=True),
    _learner("gradient", "gradient", by_gradient),
    Method(
        "weights", "gradient", train_label_weights, write_label_weights, ("quality",), seeded=True
    ),
    _learner("ppo", "rl", by_ppo),
    _learner("warm-ppo", "rl", by_warm_ppo),
    _learner("constant", "control", partial(by_ppo, control="constant")),
    _learner("shuffled", "control", partial(by_ppo, control="shuffled")),
    _fixed("oracle-gate", "bound", write_gated, objectives=("noise",)),
    _fixed("clean", "bound", write_clean, objectives=("noise",)),
):
    LABEL_METHODS.register(_method)
