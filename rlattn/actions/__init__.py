"""Action families: a space, a distribution on it, and its map to an allocation."""

from __future__ import annotations

from rlattn.actions.base import ActionFamily, MaskedDistribution
from rlattn.actions.bias import Bias
from rlattn.actions.gate import Gate
from rlattn.errors import InputError

FAMILIES: dict[str, type[ActionFamily]] = {family.name: family for family in (Bias, Gate)}


def make_family(name: str) -> ActionFamily:
    """The action family of that name.

    Raises:
        InputError: If there is none.
    """
    if name not in FAMILIES:
        raise InputError(f"unknown action {name!r}: expected one of {', '.join(sorted(FAMILIES))}")
    return FAMILIES[name]()


__all__ = ["FAMILIES", "ActionFamily", "Bias", "Gate", "MaskedDistribution", "make_family"]
