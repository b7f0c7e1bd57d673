"""Action families by name."""

from __future__ import annotations

from typing import TypeVar

from rlattn.actions.base import ActionFamily
from rlattn.errors import InputError

F = TypeVar("F", bound="type[ActionFamily]")

FAMILIES: dict[str, type[ActionFamily]] = {}
"""Every known family by name."""


def register_family(family: F) -> F:
    """Makes a family known by its name, to environments and to ``--action``; a class decorator.

    Raises:
        ValueError: If the name is taken by another family, or cannot be told from what stands
            beside it.
    """
    if ":" in family.name:
        raise ValueError(f"an action cannot be named {family.name!r}: its name holds a colon")
    if FAMILIES.get(family.name, family) is not family:
        raise ValueError(f"an action named {family.name!r} is already registered")
    FAMILIES[family.name] = family
    return family


def make_family(spec: str) -> ActionFamily:
    """The action family of a name, or of a name and what it is told, such as ``topk:4``.

    Raises:
        InputError: If there is none, or what stands after the name cannot be used.
    """
    name, colon, argument = spec.partition(":")
    if name not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise InputError(f"unknown action {spec!r}: expected one of {known}")
    return FAMILIES[name].of(argument if colon else None)
