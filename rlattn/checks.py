"""What users give, looked at before it is used: texts, whole numbers, and names of files."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rlattn.errors import InputError

MOST = 2**31 - 1
"""The largest of all counts; what is larger was never meant."""


def check_texts(texts: Iterable[str]) -> list[str]:
    """The texts, if each of them is one.

    Args:
        texts: Any number of texts; a single one is none of them.

    Raises:
        InputError: If it is a single text, or something in it is no text or not Unicode.
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        raise InputError(f"found {_shown(texts)}, expected a list of texts, such as ['a text']")
    found = list(texts)
    for index, text in enumerate(found):
        if not isinstance(text, str):
            raise InputError(f"text {index} is {_shown(text)}: expected text")
        check_unicode(text, f"text {index}")
    return found


def check_unicode(text: str, where: str) -> None:
    """Makes sure that text can be written in UTF-8, the only way to read it.

    Args:
        text: Any text.
        where: What it is, for the error message.

    Raises:
        InputError: If there is half a character in it.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{where}: {text[error.start]!r} is half a character (a lone surrogate); "
            "write the other half, too, or leave it out"
        ) from error


def check_whole(name: str, number: object, least: int = 1, most: int = MOST) -> int:
    """A whole number, if it is one and within its limits.

    Args:
        name: What it is called.
        number: What was given.
        least: The smallest that can be used.
        most: The largest.

    Raises:
        InputError: If it is something else.
    """
    if isinstance(number, bool) or not isinstance(number, int | np.integer):
        raise InputError(f"{name} {_shown(number)}: expected a whole number")
    if number < least:
        raise InputError(f"{name} {_shown(int(number))}: expected at least {least}")
    if number > most:
        raise InputError(f"{name} {_shown(int(number))}: expected at most {most:,}")
    return int(number)


def check_path(name: object) -> Path:
    """The path of a name that a file or folder can have; it need not be there.

    Args:
        name: What was given.

    Raises:
        InputError: If no file can be called so.
    """
    if not isinstance(name, str | os.PathLike):
        raise InputError(f"found {_shown(name)}, expected the name of a file or folder")
    try:
        path = Path(name)
        os.lstat(path)
    except (ValueError, TypeError) as error:  # nothing, half a character, bytes
        raise InputError(f"the path {_shown(str(name))} cannot be used: {error}") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise InputError(
                f"the path {_shown(str(name))} cannot be used: {error.strerror}"
            ) from error
    return path


def _shown(value: object) -> str:
    """A value as messages show it: in one line, and not at length."""
    try:
        shown = repr(value)
    except ValueError:  # a number of more digits than Python writes
        shown = f"a number of {type(value).__name__} that is too long to show"
    shown = " ".join(shown.split())
    return shown if len(shown) <= 40 else f"{shown[:40]}…"
