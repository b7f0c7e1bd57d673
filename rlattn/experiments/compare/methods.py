"""Every method that can be compared, by its name: the one place that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

from rlattn.errors import InputError
from rlattn.experiments.compare import rules
from rlattn.experiments.compare.bounds import (
    find_bound,
    find_known,
    write_bound,
    write_clean,
    write_gated,
)
from rlattn.experiments.compare.gradients import (
    by_gradient,
    by_indexing,
    by_warm_ppo,
    share,
    train_weights,
    write_weights,
)
from rlattn.experiments.compare.learning import Learn, train_policy, write_policy
from rlattn.experiments.compare.reinforcement import by_ppo, by_reinforce
from rlattn.experiments.compare.scene import Train, Write
from rlattn.experiments.compare.tasks import OBJECTIVES, ObjectiveName

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
        few_sentences: Whether it takes so long that it translates the first few sentences only.
    """

    name: str
    kind: Kind
    train: Train
    write: Write
    objectives: tuple[ObjectiveName, ...] = ()
    seeded: bool = False
    needs_native: bool = False
    few_sentences: bool = False


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


_BOTH: tuple[ObjectiveName, ...] = ("quality", "budget")


def _rule(name: str, choices: rules.Choices = rules.nothing, **traits: Any) -> Method:
    train = partial(rules.choose, name=name, choices=choices)
    return Method(name, "rule", train, partial(rules.write, name=name), **traits)


def _watching(name: str, choices: rules.Choices) -> Method:
    return _rule(name, choices, objectives=_BOTH, needs_native=True)


def _learner(name: str, kind: Kind, learn: Learn) -> Method:
    train = partial(train_policy, learn=learn)
    return Method(name, kind, train, write_policy, OBJECTIVES, seeded=True)


def _knowing(name: str, write: Write) -> Method:
    """A bound for noisy sources that knows what is asked for."""
    return Method(name, "bound", partial(find_known, write=write), write, ("noise",))


for _method in (
    _rule("native"),
    _rule("uniform"),
    _rule("random", seeded=True),
    _rule("diagonal", rules.stretches, objectives=_BOTH),
    _rule("argmax", needs_native=True),
    _watching("topk", rules.shares),
    _watching("topp", rules.masses),
    _rule("entmax15"),
    _rule("sparsemax"),
    _learner("gradient", "gradient", by_gradient),
    Method(
        "indexer",
        "gradient",
        partial(train_policy, learn=by_indexing, action=share),
        write_policy,
        ("budget",),
        seeded=True,
    ),
    Method("weights", "gradient", train_weights, write_weights, ("quality",), seeded=True),
    _learner("ppo", "rl", by_ppo),
    _learner("reinforce", "rl", by_reinforce),
    _learner("warm-ppo", "rl", by_warm_ppo),
    _learner("constant", "control", partial(by_ppo, control="constant")),
    _learner("shuffled", "control", partial(by_ppo, control="shuffled")),
    Method("oracle", "bound", find_bound, write_bound, few_sentences=True),
    _knowing("oracle-gate", write_gated),
    _knowing("clean", write_clean),
):
    register_method(_method)
