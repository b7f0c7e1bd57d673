"""Two out folders of one experiment, file by file: what is equal, and what differs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file
from torch import Tensor, uint8

State = Literal["equal", "differs", "left out"]

FILES_LEFT_OUT = {
    ".*": "of the process",
    "*.log": "tells of clocks",
    "events.out.tfevents.*": "tells of clocks; the numbers are those of progress.csv",
    "*checkpoints/*": "from which a run goes on",
}
"""Patterns of files that are not compared, and why."""

TIMED_FILES = {
    "table.md": "tells of clocks and memory; the numbers are those of results.json",
    "curves.png": "draws clocks",
    "budget.png": "draws clocks and memory",
    "shares.png": "draws clocks",
    "lanes.png": "draws clocks and memory",
    "lengths.png": "draws clocks and memory",
    "sizes.png": "draws clocks and memory",
}
"""The same of the files of programs that measure time."""

VALUES_LEFT_OUT = {
    "*seconds": "clocks",
    "time/*": "clocks",
    "*_per_s": "clocks",
    "*over_*": "clocks",
    "*_shares": "clocks",
    "ppo_default_objective": "clocks",
    "growth_*": "clocks",
    "spreads": "clocks",
    "sweeps": "clocks",
    "memory": "memory",
    "peak_*": "memory",
    "provenance": "told beforehand",
    "command": "names the out folder",
    "card_sha256": "the digest of a card that holds the command",
    "out": "the out folder itself",
}
"""Patterns of names in JSON, and of columns in CSV, that are not compared, and why."""


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one file.

    Attributes:
        name: Its path in both folders.
        state: Whether it is equal.
        why: What differs first, or why it is left out.
    """

    name: str
    state: State
    why: str = ""


def compare_folders(
    first: Path, second: Path, *, timed: bool, belongs: Callable[[str], bool] = lambda name: True
) -> list[Verdict]:
    """Compares all files of two folders.

    Tensors are equal bit by bit, numbers and text exactly. Values that say how long something took,
    how much memory, or where the run was, are left out: see `VALUES_LEFT_OUT`.

    Args:
        first: The one.
        second: The other.
        timed: Whether the experiment is one of those whose tables and pictures tell of clocks.
        belongs: Whether a file, by its path in the folder, is part of the run.

    Returns:
        A verdict for each file that is in either, in the order of their names.
    """
    names = sorted(name for name in {*_files(first), *_files(second)} if belongs(name))
    patterns = {**FILES_LEFT_OUT, **(TIMED_FILES if timed else {})}
    return [_verdict(name, first / name, second / name, patterns) for name in names]


def _files(folder: Path) -> Iterator[str]:
    return (str(p.relative_to(folder).as_posix()) for p in folder.rglob("*") if p.is_file())


def _verdict(name: str, first: Path, second: Path, patterns: dict[str, str]) -> Verdict:
    for pattern, why in patterns.items():
        if fnmatch(name, pattern) or fnmatch(first.name, pattern):
            return Verdict(name, "left out", why)
    for path, which in ((first, "first"), (second, "second")):
        if not path.is_file():
            return Verdict(name, "differs", f"is not in the {which} folder")
    different = list(_differences(first, second))
    if not different:
        return Verdict(name, "equal")
    more = f", and {len(different) - 1:,} more" if len(different) > 1 else ""
    return Verdict(name, "differs", different[0] + more)


def _differences(first: Path, second: Path) -> Iterator[str]:
    """A line for each difference between two files."""
    match first.suffix:
        case ".json":
            yield from _in_values(_json(first), _json(second), "")
        case ".csv":
            yield from _in_values(_rows(first), _rows(second), "")
        case ".safetensors":
            yield from _in_values(_tensors(first), _tensors(second), "")
        case _:
            if first.read_bytes() != second.read_bytes():
                yield "other bytes"


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _tensors(path: Path) -> dict[str, Any]:
    return dict(load_file(path))


def _in_values(first: Any, second: Any, where: str) -> Iterator[str]:
    """A line for each difference between two trees."""
    if isinstance(first, dict) and isinstance(second, dict):
        for name in sorted({*first, *second}):
            if any(fnmatch(name, pattern) for pattern in VALUES_LEFT_OUT):
                continue
            place = f"{where}: {name}" if where else name
            if name in first and name in second:
                yield from _in_values(first[name], second[name], place)
            else:
                yield f"{place} is in the {'first' if name in first else 'second'} one only"
    elif isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            yield f"{where}: {len(first)} and {len(second)} entries".removeprefix(": ")
        for number, (one, other) in enumerate(zip(first, second, strict=False)):
            yield from _in_values(one, other, f"{where}[{number}]")
    elif isinstance(first, Tensor) and isinstance(second, Tensor):
        if not _same_bits(first, second):
            yield f"{where}: other bits"
    elif type(first) is not type(second) or first != second:
        yield f"{where}: {_shown(first)} and {_shown(second)}"


def _same_bits(first: Tensor, second: Tensor) -> bool:
    same = first.dtype == second.dtype and first.shape == second.shape
    return same and bool((first.flatten().view(uint8) == second.flatten().view(uint8)).all())


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."
