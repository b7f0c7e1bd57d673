"""The folder that a run writes into: claimed once, never overwritten, never half-written."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from rlattn.checks import check_path
from rlattn.errors import InputError
from rlattn.experiments.lock import LOCK, alone
from rlattn.storage.files import write_file

CONFIG, RESULTS = "config.json", "results.json"
"""What a run was asked for, which program by, and what it works with; and what came out."""


def check_output(path: str | os.PathLike[str]) -> Path:
    """Makes sure that a run may be written to a folder, and creates nothing.

    Args:
        path: The folder; it may be missing or empty.

    Returns:
        The folder as a path, with ``~`` expanded.

    Raises:
        InputError: If the folder holds anything but a lock that nobody may hold any more, is no
            folder, or cannot be written to.
    """
    folder = check_path(path).expanduser()
    try:
        # A lock that is left behind, and a description that its process did not come to finish.
        occupied = folder.is_dir() and not all(
            path.name.startswith((LOCK, ".config.json.")) for path in folder.iterdir()
        )
        # What exists of the path decides: the folder itself, or the one it will be made in.
        nearest = folder
        while not nearest.exists() and nearest != nearest.parent:
            nearest = nearest.parent
    except OSError as error:
        raise _unusable(folder, error) from error
    if occupied:
        raise InputError(
            f"the out folder {folder} already holds files, and they are kept: "
            "give --out a new or empty folder"
        )
    if not nearest.is_dir():
        raise InputError(f"the out folder {folder} cannot be made: {nearest} is a file")
    if not os.access(nearest, os.W_OK | os.X_OK):
        reason = "no permission in" if _writable(nearest) else "a read-only file system holds"
        raise InputError(
            f"the out folder {folder} cannot be written: {reason} {nearest}; give --out another"
        )
    return folder


@contextmanager
def claim_output(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Creates the folder of a run, once all other input is known to be good, and keeps it.

    Args:
        path: The folder; it may be missing or empty.

    Yields:
        The folder, which now exists and is empty, and is refused to others until the run is over.

    Raises:
        InputError: If the folder holds anything, is no folder, cannot be made or written to, or
            another process has claimed it.
    """
    folder = check_output(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(folder, error) from error
    with alone(folder):
        check_output(folder)  # for another process may have come and gone
        yield folder


def write_json(path: Path, data: object) -> None:
    """Writes a JSON file whole or not at all.

    Args:
        path: The file; what it held before is replaced.
        data: Numbers, text, mappings and sequences of them; also dataclasses, paths, and NumPy and
            PyTorch numbers and arrays.

    Raises:
        ValueError: If a number is NaN or infinite; the message says where it stands.
        TypeError: If something has no JSON form.
        OutputError: If the file cannot be written.
    """
    text = json.dumps(as_json(data, path.name), indent=2, ensure_ascii=False) + "\n"
    write_file(path, text)


def save_figure(path: Path, figure: Figure, **options: Any) -> None:
    """Writes a picture whole or not at all.

    Args:
        path: The PNG file; what it held before is replaced.
        figure: What to draw.
        **options: As `Figure.savefig` takes them.

    Raises:
        OutputError: If it cannot be written.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format="png", **options)
    write_file(path, picture.getvalue())


def as_json(data: object, where: str) -> Any:
    """Returns ``data`` made of JSON's own types.

    Args:
        data: As for `write_json`.
        where: Leads to it in error messages.

    Raises:
        ValueError: If a number is NaN or infinite.
        TypeError: If something has no JSON form.
    """
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        data = {field.name: getattr(data, field.name) for field in dataclasses.fields(data)}
    elif isinstance(data, np.ndarray | np.generic | torch.Tensor):
        data = data.tolist()
    if isinstance(data, Mapping):
        return {str(key): as_json(value, f"{where}: {key}") for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [as_json(value, f"{where}[{index}]") for index, value in enumerate(data)]
    if isinstance(data, os.PathLike):
        return os.fspath(data)
    if isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"{where} is {data}, which JSON cannot hold")
    if data is None or isinstance(data, str | int | float):
        return data
    raise TypeError(f"{where} is a {type(data).__name__}, which has no JSON form")


def _writable(place: Path) -> bool:
    """Whether the file system that holds a place can be written by anyone."""
    return not os.statvfs(place).f_flag & os.ST_RDONLY


def _unusable(folder: Path, error: OSError) -> InputError:
    return InputError(f"the out folder {folder} cannot be used: {error.strerror}")
