"""Action families: a space, a distribution on it, and its map to an allocation."""

from __future__ import annotations

from rlattn.actions.base import ActionFamily
from rlattn.actions.bias import Bias
from rlattn.actions.distributions import MaskedDistribution
from rlattn.actions.gate import Gate
from rlattn.actions.position import Position
from rlattn.actions.simplex import Simplex
from rlattn.actions.topk import TopK
from rlattn.actions.window import Window
from rlattn.errors import InputError

FAMILIES: dict[str, type[ActionFamily]] = {
    family.name: family for family in (Bias, Gate, Position, Simplex, TopK, Window)
}


def make_family(spec: str) -> ActionFamily:
    """The action family of a name; ``topk:K`` says how many positions.

    Raises:
        InputError: If there is none, or what stands after the name cannot be used.
    """
    name, colon, argument = spec.partition(":")
    if name not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise InputError(f"unknown action {spec!r}: expected one of {known}")
    if not colon:
        return FAMILIES[name]()
    if name != TopK.name:
        raise InputError(f"action {spec!r}: {name} takes nothing after its name")
    if not argument.isdecimal():
        raise InputError(f"action {spec!r}: expected a number of positions, such as topk:4")
    return TopK(int(argument))


__all__ = [
    "FAMILIES",
    "ActionFamily",
    "Bias",
    "Gate",
    "MaskedDistribution",
    "Position",
    "Simplex",
    "TopK",
    "Window",
    "make_family",
]
