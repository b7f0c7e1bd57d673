"""The options of a program, given from Python: each must be of the type that its dataclass says.

On a command line tyro sees to that.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from rlattn.console.cli import flag
from rlattn.errors import InputError

_NAMES = {
    bool: "true or false",
    float: "a number",
    int: "a whole number",
    str: "text",
    Path: "a path",
    NoneType: "nothing",
}


def check_types(config: Any) -> None:
    """Makes sure that every attribute is of its type.

    Args:
        config: A dataclass of plain types, literals, tuples, and any of these or None.

    Raises:
        InputError: If one is not; says what was found and what was expected.
    """
    hints = get_type_hints(type(config))
    for field in fields(config):
        kind, value = hints[field.name], getattr(config, field.name)
        if not _fits(kind, value):
            found = type(value).__name__ if isinstance(value, int) else ascii(value)
            raise InputError(f"{flag(field.name)} {found:.40}: expected {_called(kind)}")


def _fits(kind: Any, value: object) -> bool:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return any(type(value) is type(one) and value == one for one in inside)
    if origin in (Union, UnionType):
        return any(_fits(one, value) for one in inside)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(inside[0], one) for one in value)
    if isinstance(value, bool):  # to Python True is a number
        return kind is bool
    if kind is float and isinstance(value, int):
        return abs(value) < 2**63
    return isinstance(value, kind)


def _called(kind: Any) -> str:
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(map(str, inside))}"
    if origin in (Union, UnionType):
        return " or ".join(map(_called, inside))
    if origin is tuple:
        return f"a tuple, each of it {_called(inside[0])}"
    return _NAMES.get(kind, str(kind))
