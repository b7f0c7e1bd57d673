"""Names of hosts: words that mean something, and all others, which are folders or hub ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def placed(name: str | Path, words: Sequence[str]) -> str:
    """The name of a host from any working directory, for a policy remembers it.

    Words win: a folder of the same name is written as ``./builtin``, or given as a `Path`.

    Args:
        name: A word, a folder or a hub id.
        words: What means something by itself, or before a name where it ends in a colon.

    Returns:
        The path of a folder from the root; anything else as it is.
    """
    if isinstance(name, str):
        if any(name.startswith(word) if word.endswith(":") else name == word for word in words):
            return name
        if not Path(name).is_dir():
            return name
    return str(Path(name).resolve())


def last_part(name: str) -> str:
    """The name of a host or a corpus for people: where a folder is on a machine tells them nothing.

    Args:
        name: Of a folder from the root, with what stands before it; any other stays as it is.
    """
    kind, colon, place = name.rpartition(":")
    return f"{kind}{colon}{Path(place).name}" if Path(place).is_absolute() else name
