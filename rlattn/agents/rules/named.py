"""Rules by name, as a program is told of them."""

from __future__ import annotations

from rlattn.agents.rules.base import Rule
from rlattn.agents.rules.blind import Diagonal, Random, Uniform
from rlattn.agents.rules.sparse import Entmax15, Sparsemax
from rlattn.agents.rules.watching import Argmax, TopK, TopP
from rlattn.errors import InputError, closest

RULES: dict[str, type[Rule]] = {
    rule.name: rule for rule in (Uniform, Random, Diagonal, Argmax, TopK, TopP, Entmax15, Sparsemax)
}
"""Every rule by name."""


def make_rule(
    name: str,
    *,
    reads: float | None = None,
    mass: float | None = None,
    ratio: float = 1.0,
    seed: int = 0,
) -> Rule:
    """The rule of a name; of what else is given, it takes what it asks for.

    Args:
        name: One of `RULES`.
        reads: The share of positions that `diagonal` and `topk` leave open on average.
        mass: The share of the native attention that `topp` keeps.
        ratio: How many target tokens `diagonal` expects for a source token.
        seed: Of `random`.

    Raises:
        InputError: If there is no such rule, what it asks for is missing or no share, or it needs a
            library that is missing.
    """
    if name not in RULES:
        raise InputError(f"unknown rule {name!r}: {closest(name, RULES)}")
    match name:
        case Random.name:
            return Random(seed)
        case Diagonal.name:
            return Diagonal(_given(reads, "reads", name), ratio)
        case TopK.name:
            return TopK(_given(reads, "reads", name))
        case TopP.name:
            return TopP(_given(mass, "mass", name))
        case _:
            return RULES[name]()


def _given(value: float | None, what: str, name: str) -> float:
    if value is None:
        raise InputError(f"rule {name} needs `{what}`: a share above 0 and at most 1")
    return value
