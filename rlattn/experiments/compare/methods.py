"""Every method that can be compared on a translator, by its name: the one place that knows them."""

from __future__ import annotations

from functools import partial
from typing import Any

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
from rlattn.experiments.compare.method import Method, MethodKind, Methods, Write
from rlattn.experiments.compare.reinforcement import by_ppo, by_reinforce
from rlattn.experiments.compare.tasks import OBJECTIVES, ObjectiveName

METHODS = Methods()
"""Every method for translators by its name."""

register_method = METHODS.register

_BOTH: tuple[ObjectiveName, ...] = ("quality", "budget")


def _rule(name: str, choices: rules.Choices = rules.nothing, **traits: Any) -> Method:
    train = partial(rules.choose, name=name, choices=choices)
    return Method(name, "rule", train, partial(rules.write, name=name), **traits)


def _watching(name: str, choices: rules.Choices) -> Method:
    return _rule(name, choices, objectives=_BOTH, needs_native=True)


def _learner(name: str, kind: MethodKind, learn: Learn) -> Method:
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
