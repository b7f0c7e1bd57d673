"""JSON from outside: its size and depth are known before it is read, and each key stands once."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from rlattn.errors import InputError
from rlattn.storage.folders import read_bytes

CARD = 2**20
"""The most bytes of a card, which takes a few thousand; no longer one is read."""

DEEPEST = 64
"""How deep objects and lists may stand in each other; what rlattn writes has a few levels."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""A text in quotes, whatever it holds, or a bracket outside of one."""


def read_object(path: Path, most: int = CARD) -> dict[str, Any]:
    """The object of JSON that a file holds.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        InputError: If it cannot be read, is longer, is not UTF-8, or is no object that `parse`
            takes; the message begins with the file's name.
    """
    return parse_object(read_text(path, most), path.name)


def read_text(path: Path, most: int = CARD) -> str:
    """The text of a file of JSON.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        InputError: If it cannot be read, is longer, or is not UTF-8.
    """
    try:
        return read_bytes(path, most).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is damaged ({error})") from error


def parse_object(text: str, name: str) -> dict[str, Any]:
    """The object that stands in a text.

    Args:
        text: JSON.
        name: The file that it comes from, for messages.

    Raises:
        InputError: If it is something else than `parse` takes, or no object.
    """
    try:
        data = parse(text)
    except ValueError as error:
        raise InputError(f"{name} is damaged ({error})") from error
    if not isinstance(data, dict):
        raise InputError(f"{name}: found {shown(data)}, expected an object with fields")
    return data


def parse(text: str) -> Any:
    """JSON in which no key stands twice, all numbers are finite, and nothing is nested deeply.

    Raises:
        ValueError: If the text is something else.
    """
    check_depth(text)
    return json.loads(
        text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite_float
    )


def shown(data: object) -> str:
    """A value of JSON as messages show it: in one line, and not at length."""
    text = json.dumps(data)
    return text if len(text) <= 40 else f"{text[:37]}..."


def check_depth(text: str) -> None:
    """Counts brackets: a parser that went into them would need as much stack as a file asks for.

    Raises:
        ValueError: If there are more within each other than `DEEPEST`.
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                raise ValueError(f"nested too deeply: more than {DEEPEST} levels")
        elif token[0] in "]}":
            depth -= 1


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands there twice")
        found[name] = value
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"found {text[:40]}, expected a finite number")
    return number
