"""Files that are replaced whole or not at all, and what is said where that fails."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rlattn.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def write_file(path: Path, content: str | bytes) -> None:
    """Replaces a file, or makes it: at any time it holds what it held before, or all that is new.

    When this returns, the content and the name of the file are on the disk.

    Args:
        path: The file; its folder is there.
        content: What it is to hold; text becomes UTF-8, and its ends of line stay as they are.

    Raises:
        OutputError: If it cannot be written; what was there stays, and nothing else is left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with writing(path):
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush(path.parent)


def make_folder(path: Path) -> None:
    """Makes a folder, and those above it, if it is not there; when this returns, it stays.

    Args:
        path: The folder.

    Raises:
        OutputError: If it cannot be made.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        flush(path.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Says of what goes wrong inside which file or folder it was about, and what to do.

    Args:
        path: What is written.

    Raises:
        OutputError: For any other `OSError`.
    """
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path}: {explain(error)}") from error


def is_full(error: Exception) -> bool:
    """Whether a disk, or what its user may take of it, is full."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    # The Rust libraries that write weights and tokenizers tell it in words.
    return any(f"os error {number}" in str(error) for number in _FULL)


def explain(error: OSError) -> str:
    """Why something cannot be written, and what to do, for a line that says what it was."""
    advice = "make room there" if is_full(error) else "see that it can be written"
    return f"cannot be written ({error.strerror or error}): {advice}, or name another place"


def flush(path: Path) -> None:
    """Makes the system put a file or the entries of a folder on the disk."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # a folder in which one may write, and not look
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
