"""One process at a time in an out folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rlattn.errors import InputError
from rlattn.storage.files import writing

LOCK = ".lock"
"""The file that is held while a process is at work in its folder. The system lets go of it when the
process ends, in whatever way; so one that is left behind keeps nobody out."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keeps other processes out of a folder, and does not wait for them.

    Args:
        folder: It exists.

    Raises:
        InputError: If another process is at work in it.
        OutputError: If nothing can be written there.
    """
    file = folder / LOCK
    lock = FileLock(file)
    with writing(file):
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise InputError(
                f"the out folder {folder}: another process is at work in it; wait for that to end, "
                "or give --out another folder"
            ) from error
    try:
        yield
    finally:
        # Whoever has opened it meanwhile, and comes to hold it, sees that it has no name any more.
        with suppress(OSError):
            file.unlink(missing_ok=True)
        lock.release()
