"""Every method that can be compared, by its name: the one place that knows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from rlattn.agents import Point, Spent, translate_topk
from rlattn.corpora import Pair
from rlattn.errors import InputError
from rlattn.experiments.compare.learning import train_policy, write_policy
from rlattn.experiments.compare.ppo import learn_control, learn_ppo
from rlattn.experiments.compare.scene import Found, Outcome, Scene, Train, Write
from rlattn.experiments.compare.tasks import ObjectiveName
from rlattn.experiments.statistics import corpus_scores
from rlattn.inference import Translations, translate

Kind = Literal["rule", "gradient", "rl", "control", "bound"]


@dataclass(frozen=True)
class Method:
    """How runs of a method are made.

    Attributes:
        name: What it is called.
        kind: What it is told apart by in tables and pictures.
        train: Learns or chooses what has to be.
        write: Translates with that.
        objectives: What it can be asked for; none for a method that is the same whatever is asked,
            and runs once.
        seeded: Whether chance plays a part, so that it runs once for each seed.
        needs_native: Whether each step needs a full native pass first.
    """

    name: str
    kind: Kind
    train: Train
    write: Write
    objectives: tuple[ObjectiveName, ...] = ()
    seeded: bool = False
    needs_native: bool = False


_methods: dict[str, Method] = {}

METHODS: Mapping[str, Method] = MappingProxyType(_methods)
"""Every method by its name, in the order of tables."""


def register_method(method: Method) -> Method:
    """Makes a method known by its name; modules that ``--imports`` names may add their own.

    Raises:
        InputError: If the name is taken.
    """
    if method.name in _methods:
        raise InputError(f"a method named {method.name!r} is already registered")
    _methods[method.name] = method
    return method


def rule(
    name: str,
    write: Callable[..., Translations],
    *,
    choices: Mapping[str, Sequence[float]] | None = None,
    **traits: Any,
) -> Method:
    """A method that learns nothing.

    Args:
        name: What it is called.
        write: Translates: takes the scene, the sources, whether to trace, and what was chosen by
            name.
        choices: What one parameter may be, by its name: the best on validation sentences is
            chosen. With a target of reads, a parameter `reads` is that target instead.
        **traits: What else `Method` takes.
    """

    def train(scene: Scene) -> Outcome:
        tried = [{}] if choices is None else _tried(scene, choices)
        points = [(_validated(scene, write, found), found) for found in tried]
        best, found = max(points, key=lambda each: each[0].score)
        return Outcome(best, found=found)

    def apply(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
        return write(scene, [pair.source for pair in pairs], trace, **found)

    return Method(name, traits.pop("kind", "rule"), train, apply, **traits)


def _tried(scene: Scene, choices: Mapping[str, Sequence[float]]) -> list[Found]:
    target = None if scene.task is None else scene.task.reads
    return [
        {name: value}
        for name, values in choices.items()
        for value in ((target,) if name == "reads" and target is not None else values)
    ]


def _validated(scene: Scene, write: Callable[..., Translations], found: Found) -> Point:
    output = write(scene, [pair.source for pair in scene.valid], False, **found)
    scores = corpus_scores(output.texts, [pair.target for pair in scene.valid])
    reads = float(np.mean(output.reads_fraction))
    return Point(0, scores.bleu, scores.chrf, reads, scores.bleu, Spent())


def _native(scene: Scene, sources: Sequence[str], trace: bool) -> Translations:
    return translate(scene.host, sources, **scene.limits, trace=trace)


def _topk(scene: Scene, sources: Sequence[str], trace: bool, *, reads: float) -> Translations:
    return translate_topk(scene.host, sources, reads, **scene.limits)


_SHARES = (0.5, 0.3, 0.2, 0.1)
"""What a rule may read where no target is given."""

_BOTH: tuple[ObjectiveName, ...] = ("quality", "budget")


def _learner(name: str, kind: Kind, learn: Any) -> Method:
    def train(scene: Scene) -> Outcome:
        assert scene.task is not None
        return train_policy(scene, learn, scene.task.family)

    return Method(name, kind, train, write_policy, _BOTH, seeded=True)


for _method in (
    rule("native", _native),
    rule("topk", _topk, choices={"reads": _SHARES}, objectives=_BOTH, needs_native=True),
    _learner("ppo", "rl", learn_ppo),
    _learner("constant", "control", partial(learn_control, control="constant")),
    _learner("shuffled", "control", partial(learn_control, control="shuffled")),
):
    register_method(_method)
