"""A folder in the user's cache that is either complete or not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from rlattn.errors import InputError
from rlattn.storage.files import flush, is_full

VARIABLE = "RLATTN_CACHE"
"""Environment variable with the folder to use instead of the user's cache directory."""


def default_cache() -> Path:
    """The folder that `RLATTN_CACHE` names, or else the user's cache directory; absolute."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().absolute() if named else platformdirs.user_cache_path("rlattn")


def digest(settings: object) -> str:
    """Returns the SHA-256 (hex) of anything that JSON can hold; the order of keys is no matter."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def cached_folder(
    cache: Path, name: str, needed_bytes: int, build: Callable[[Path], object]
) -> Path:
    """Returns a folder of the cache, built if it is not there.

    It is built under another name beside it and renamed when it is complete, so that no one ever
    sees half of it. Of two processes that build it at once, the first one's folder stays.

    Args:
        cache: The cache; it is made if it is not there.
        name: Name of the folder, which must determine its content.
        needed_bytes: Room that the folder takes at most, checked beforehand.
        build: Writes the content into the empty folder that it is given.

    Returns:
        The complete folder.

    Raises:
        InputError: If the cache cannot be written or has no room; nothing is left behind.
    """
    final = cache / name
    if final.is_dir():
        return final
    existing = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < needed_bytes:
        raise InputError(
            f"no space left for the cache {cache}: {needed_bytes / 1e6:.0f} MB are needed and "
            f"{free / 1e6:.0f} MB are free; make room, or name another folder in {VARIABLE}"
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=cache))
    except OSError as error:
        raise InputError(
            f"cannot write to the cache {cache} ({error.strerror}); "
            f"name a folder that can be written in {VARIABLE}"
        ) from error
    try:
        build(unfinished)
        for path in (*unfinished.rglob("*"), unfinished):
            flush(path)
        _publish(unfinished, final)
        flush(cache)
    except Exception as error:
        if is_full(error):
            raise InputError(
                f"no space left in the cache {cache}; "
                f"make room, or name another folder in {VARIABLE}"
            ) from error
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return final


def _publish(unfinished: Path, final: Path) -> None:
    unfinished.chmod(0o755)  # Temporary folders are made for their owner's eyes only.
    try:
        unfinished.rename(final)
    except OSError:
        if not final.is_dir():  # Otherwise another process was first.
            raise
