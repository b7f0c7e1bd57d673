"""Cells of a table whose values have types: what they say as a text or as a label."""

from __future__ import annotations

import json

from rlattn.checks import check_unicode
from rlattn.errors import InputError


def as_text(value: object, where: str) -> str:
    """Return the text in a cell; a missing one is empty.

    Args:
        value: The cell's value.
        where: What is being read, for the error message.

    Raises:
        InputError: If it is no text, or cannot be written in UTF-8.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{where}: the text is {_shown(value)}; expected text, in quotes")
    check_unicode(value, where)
    return value


def as_label(value: object, where: str) -> str:
    """Return the label in a cell: text, or a whole number, true or false as text.

    Args:
        value: The cell's value; a missing label is empty.
        where: What is being read, for the error message.

    Raises:
        InputError: If it is of another kind, or cannot be written in UTF-8.
    """
    if isinstance(value, int):
        return json.dumps(value)
    if value is None or isinstance(value, str):
        return as_text(value, where)
    raise InputError(
        f"{where}: the label is {_shown(value)}; expected text, a whole number, true or false"
    )


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
