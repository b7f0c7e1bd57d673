"""TensorBoard reads what was logged, and a full disk is told at once."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rlattn.agents.board import Board
from rlattn.errors import OutputError
from tests.disks import small_disk


def scalars(folder: Path, name: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard_finds_what_was_logged(tmp_path: Path) -> None:
    threads = threading.active_count()
    board = Board(tmp_path)
    for step, value in enumerate((0.5, np.float32(0.25), 3)):
        board.write({"a": value, "hidden": 1.0}, {"a": None, "hidden": ("tensorboard",)}, step)
    assert threading.active_count() == threads
    board.close()
    assert scalars(tmp_path, "a") == [(0, 0.5), (1, 0.25), (2, 3.0)]
    (file,) = tmp_path.iterdir()
    assert file.name.startswith("events.out.tfevents.")


def test_what_is_no_number_goes_there_too(tmp_path: Path) -> None:
    board = Board(tmp_path)
    board.write({"text": "abc", "many": np.arange(9.0)}, {"text": None, "many": None}, 1)
    board.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["histograms"] == ["many"]
    assert events.Tags()["tensors"] == ["text/text_summary"]


def test_on_a_full_disk_it_says_so_and_the_events_before_stay(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path, "16k") as disk:
        board = Board(disk)
        board.write({"a": 0.5}, {"a": None}, 1)
        with pytest.raises(OutputError, match=r"tfevents\S+: cannot be written \(No space"):
            board.write({"text": "x" * 50_000}, {"text": None}, 2)
        del board
        assert scalars(disk, "a") == [(1, 0.5)]
    assert capfd.readouterr().err == ""
