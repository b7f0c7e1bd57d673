"""Dataclasses from JSON's objects: every field is checked, and an error says which was wrong."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rlattn.errors import InputError, closest
from rlattn.storage.jsonfiles import shown

T = TypeVar("T")
_PLAIN = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
}


def read(kind: type[T], data: object, where: str) -> T:
    """A dataclass from an object of JSON: every field of its type, and none that is unknown.

    Args:
        kind: A dataclass, whose fields are text, one of a few words, paths, numbers, dataclasses,
            any of these or None, and tuples and dictionaries of them.
        data: What stood in the JSON.
        where: What leads to it, for messages.

    Raises:
        InputError: If a field is unknown, missing or of another type; says which, what was found
            and what was expected.
    """
    result: T = _fields(kind, data, where)
    return result


def _fields(kind: Any, data: object, where: str) -> Any:
    given, known = _mapping(data, where), {field.name: field for field in fields(kind)}
    for name in given:
        if name not in known:
            raise InputError(f"{where}: unknown field {name!r}: {closest(name, known)}")
    for name, field in known.items():
        if name not in given and field.default is MISSING:
            raise InputError(f"{where}: the field {name} is missing")
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], given[name], f"{where}: {name}") for name in given})


def _value(kind: Any, data: object, where: str) -> Any:
    origin, inside = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _fields(kind, data, where)
    if origin in (UnionType, Union):
        return None if data is None else _value(inside[0], data, where)
    if origin is dict:
        return {
            name: _value(inside[1], value, f"{where}: {name}")
            for name, value in _mapping(data, where).items()
        }
    if origin is tuple:
        return _row(inside, data, where)
    if origin is Literal:
        if data not in inside:
            raise InputError(f"{where}: found {shown(data)}, expected {' or '.join(inside)}")
        return data
    if kind is Path:
        return Path(_value(str, data, where))
    # To Python True is a number; to JSON it is not.
    fits = isinstance(data, bool) is (kind is bool)
    fits &= isinstance(data, int | float if kind is float else kind)
    if not fits or not _usable(data):
        raise InputError(f"{where}: found {shown(data)}, expected {_PLAIN[kind]}")
    return kind(data)


def _row(kinds: tuple[Any, ...], data: object, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise InputError(f"{where}: found {shown(data)}, expected a list")
    if kinds[-1] is ...:
        kinds = (kinds[0],) * len(data)
    if len(kinds) != len(data):
        raise InputError(f"{where}: found {len(data)} values, expected {len(kinds)}")
    return tuple(
        _value(kind, value, f"{where}[{index}]")
        for index, (kind, value) in enumerate(zip(kinds, data, strict=True))
    )


def _mapping(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(f"{where}: found {shown(data)}, expected an object with fields")
    return data


def _usable(data: Any) -> bool:
    """Whether text can be written as UTF-8, and a number is finite, also as a float."""
    try:
        return data.encode() is not None if isinstance(data, str) else math.isfinite(data)
    except (UnicodeEncodeError, OverflowError):
        return False
