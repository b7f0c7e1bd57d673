"""``progress.csv`` is whole at any time, and says what Stable-Baselines3's own would."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stable_baselines3.common.logger import (
    CSVOutputFormat,
    FormatUnsupportedError,
    HParam,
    KVWriter,
)

from rlattn.agents.progress_table import ProgressTable
from rlattn.errors import OutputError
from tests.disks import small_disk

LINES: list[dict[str, Any]] = [
    {"b": 1, "a": 0.1},
    {"a": np.float32(0.3), "d": float("nan"), "c": 'text, and "more"'},
    {"b": np.int64(7)},
]


def table(make: Callable[[Path], KVWriter], path: Path) -> list[dict[str, str]]:
    writer = make(path)
    for line in LINES:
        writer.write(line, dict.fromkeys(line, ()))
    writer.close()
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_holds_what_stable_baselines_would_write(tmp_path: Path) -> None:
    theirs = table(lambda path: CSVOutputFormat(str(path)), tmp_path / "theirs.csv")
    ours = table(ProgressTable, tmp_path / "ours.csv")
    assert ours == theirs
    assert list(ours[0]) == ["a", "b", "c", "d"]


def test_it_goes_on_from_what_stood_there(tmp_path: Path) -> None:
    whole = table(ProgressTable, tmp_path / "whole.csv")
    part = tmp_path / "part.csv"
    for line in LINES:
        text = part.read_text() if part.is_file() else ""
        ProgressTable(part, text).write(line, dict.fromkeys(line, ()))
    with part.open(newline="") as file:
        assert list(csv.DictReader(file)) == whole


def test_what_is_excluded_and_what_is_no_text_does_not_stand_in_it(tmp_path: Path) -> None:
    writer = ProgressTable(tmp_path / "table.csv")
    pictures = {"picture": HParam({}, {"a": 0})}
    writer.write({"a": 1, **pictures}, {"a": (), "picture": ("csv",)})
    with pytest.raises(FormatUnsupportedError, match="hparam"):
        writer.write(pictures, {"picture": ()})
    assert (tmp_path / "table.csv").read_text() == "a\n1\n"


def test_on_a_full_disk_its_lines_stay(tmp_path: Path) -> None:
    with small_disk(tmp_path, "16k") as disk:
        path = disk / "progress.csv"
        writer = ProgressTable(path)
        writer.write({"a": "x" * 2000}, {"a": ()})
        before = path.read_text()
        with pytest.raises(OutputError, match=r"progress\.csv: cannot be written \(No space"):
            writer.write({"b": "x" * 20_000}, {"b": ()})
        assert path.read_text() == before
        assert list(disk.iterdir()) == [path]
