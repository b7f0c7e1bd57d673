"""Files of a folder from outside: only what it holds itself, and no more than expected."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath, PureWindowsPath

from rlattn.errors import InputError


def file_in(folder: Path, name: str) -> Path:
    """The path of a file that stands in a folder.

    A link may lead to another file of the folder. In the Hugging Face hub's cache, where a snapshot
    is made of links, it may lead to the files that the cache keeps for this repository.

    Args:
        folder: Where the file must be.
        name: Its name, perhaps one that stood in another file; it has no part that is a folder.

    Raises:
        InputError: If the name leads elsewhere, or there is no such file.
    """
    if not is_plain(name):
        raise InputError(f"{name!r}: expected the name of a file in the folder itself")
    path = folder / name
    if not path.exists():
        raise InputError(f"{name} is missing")
    real = path.resolve()
    if not any(real.is_relative_to(place) for place in _own(folder.resolve())):
        raise InputError(
            f"{name} is a link that leads out of the folder, and is not followed: put the file "
            "itself there"
        )
    if not real.is_file():
        raise InputError(f"{name} is no regular file")
    return path


def is_plain(name: str) -> bool:
    """Whether a name is that of a file alone, without separators of any system, and not ``..``."""
    parts = PurePosixPath(name).parts, PureWindowsPath(name).parts
    return name.isprintable() and parts == ((name,), (name,)) and name != ".." and ":" not in name


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """Opens a regular file to be read; nothing else, such as a pipe, which one would wait for.

    Args:
        path: The file.

    Raises:
        InputError: If it is none, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:  # noqa: PTH123  (there is a descriptor, and no path)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(f"{path.name} is no regular file")
            yield file
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror})") from error


def size_of(file: BufferedReader) -> int:
    """How many bytes an opened file has."""
    return os.fstat(file.fileno()).st_size


def read_bytes(path: Path, most: int) -> bytes:
    """All of a file, whose size is asked for before it is read.

    Args:
        path: The file.
        most: How many bytes it may have.

    Raises:
        InputError: If it has more, is no regular file, or cannot be read.
    """
    with opened(path) as file:
        if (size := size_of(file)) > most:
            raise InputError(f"{path.name}: found {size:,} bytes, expected at most {most:,}")
        return file.read(most)


def _own(folder: Path) -> list[Path]:
    """The folder, and where the hub's cache keeps the files that a snapshot's links lead to."""
    if folder.parent.name != "snapshots":
        return [folder]
    return [folder, folder.parents[1] / "blobs"]
