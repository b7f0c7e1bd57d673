"""Action families by name."""

from __future__ import annotations

from typing import TypeVar

from rlattn.actions.base import ActionFamily
from rlattn.errors import InputError, closest

F = TypeVar("F", bound="type[ActionFamily]")

FAMILIES: dict[str, type[ActionFamily]] = {}
"""Every known family by name."""

_DIGITS = 5
"""No host reads a hundred thousand positions, or has as many tokens of one kind."""


def register_family(family: F) -> F:
    """Makes a family known by its name, to environments and to ``--action``; a class decorator.

    Raises:
        InputError: If it is no family, or its name is taken by another or holds a colon.
    """
    if not (isinstance(family, type) and issubclass(family, ActionFamily)):
        raise InputError(f"{family!r} is no action family: expected a subclass of ActionFamily")
    if ":" in family.name:
        raise InputError(f"an action cannot be named {family.name!r}: its name holds a colon")
    # What is defined again, as a cell of a notebook is, takes its own place.
    if _origin(FAMILIES.get(family.name, family)) != _origin(family):
        raise InputError(
            f"an action named {family.name!r} is already registered: give {family.__name__} a name "
            "of its own"
        )
    FAMILIES[family.name] = family
    return family


def _origin(family: type[ActionFamily]) -> tuple[str, str]:
    return family.__module__, family.__qualname__


def make_family(spec: str) -> ActionFamily:
    """The action family of a name, or of a name and what it is told, such as ``topk:4``.

    Raises:
        InputError: If there is none, or what stands after the name cannot be used.
    """
    if not isinstance(spec, str):
        raise InputError(f"unknown action {spec!r}: expected a name, such as gate or topk:4")
    name, colon, argument = spec.partition(":")
    if name not in FAMILIES:
        raise InputError(
            f"unknown action {spec!r}: {closest(name, FAMILIES)} (One of your own is known once "
            "the module that registers it is imported.)"
        )
    family = FAMILIES[name].of(argument if colon else None)
    family.argument = argument if colon else None
    return family


def whole_number(text: str) -> int | None:
    """The whole number that stands in the name of a family; None where none does.

    Raises:
        InputError: If there are more digits than any source has positions for.
    """
    if not (text.isdecimal() and text.isascii()):
        return None
    if len(text) > _DIGITS:
        raise InputError(f"{text[:_DIGITS]}…: expected a number of at most {_DIGITS} digits")
    return int(text)
