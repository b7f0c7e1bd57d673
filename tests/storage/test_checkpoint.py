"""A checkpoint comes back as it was, or is not used; a damaged one stands in nobody's way."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlattn.errors import InputError
from rlattn.storage.checkpoint import (
    find_checkpoints,
    newest_state,
    read_checkpoint,
    write_checkpoint,
)

STATE: dict[str, Any] = {
    "tensors": {
        "float": torch.randn(2, 3),
        "half": torch.randn(4).half(),
        "whole": torch.arange(3),
        "bool": torch.tensor([True, False]),
        "none": torch.zeros(0, 4),
        "single": torch.tensor(2.0),
    },
    "arrays": [np.arange(3), np.zeros((0, 2)), np.array([0.1, 0.2]), np.float32(0.1)],
    "numbers": [1, 2**127, 0.1, -1e-300, math.inf, -math.inf, True, None],
    "text": "grün\n\u2028",
    "nothing": {},
}


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    assert same(read_checkpoint(write_checkpoint(tmp_path, 7, STATE)), STATE)


def test_tensors_with_gaps_and_common_memory_come_back(tmp_path: Path) -> None:
    rows = torch.arange(12.0).reshape(3, 4)
    state = {"rows": rows, "column": rows[:, 1], "turned": rows.T}
    assert same(read_checkpoint(write_checkpoint(tmp_path, 7, state)), state)


def test_it_is_safetensors_and_json_alone(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "new", 4096, STATE)
    assert {each.name for each in path.parent.iterdir()} == {
        "00004096.json",
        "00004096.safetensors",
    }
    assert json.loads(path.read_text())["format"] == 1


def test_what_has_no_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="/ppo/seen is a set, which a checkpoint cannot hold"):
        write_checkpoint(tmp_path, 1, {"ppo": {"seen": {3}}})
    assert list(tmp_path.iterdir()) == []


def test_the_last_ones_are_kept(tmp_path: Path) -> None:
    for step in (9, 100, 11, 50, 200):
        write_checkpoint(tmp_path, step, {"step": step}, keep=2)
    # The one of 100 steps was of before the training went back to 11.
    assert [path.stem for path in find_checkpoints(tmp_path)] == ["00000200", "00000050"]
    assert len(list(tmp_path.iterdir())) == 4


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    (tmp_path / ".00000001.json.123").write_text("half")
    (tmp_path / "00000001.safetensors").write_bytes(b"half")
    assert newest_state(tmp_path, print) is None
    write_checkpoint(tmp_path, 2, STATE)
    assert {path.stem for path in tmp_path.iterdir()} == {"00000002"}


@given(data=st.data(), name=st.sampled_from(["json", "safetensors"]))
def test_of_two_the_one_that_is_whole_is_used(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, name: str
) -> None:
    folder = tmp_path_factory.mktemp("checkpoints")
    write_checkpoint(folder, 1, {"old": torch.zeros(3)})
    file = write_checkpoint(folder, 2, {"new": torch.ones(3)}).with_suffix(f".{name}")
    content = bytearray(file.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    file.write_bytes(content)
    said: list[str] = []
    found = newest_state(folder, said.append)
    assert found is not None
    assert found[0].stem == "00000001"
    assert same(found[1], {"old": torch.zeros(3)})
    assert len(said) == 1
    assert str(folder / "00000002.json") in said[0]
    assert said[0].endswith("it is not used")


def test_a_missing_half_is_damage(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, 1, STATE)
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(InputError, match="is damaged"):
        read_checkpoint(path)


def test_another_format_is_said(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path, 1, STATE)
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(InputError, match="not of format 1: it was written by another version"):
        read_checkpoint(path)


def test_if_none_is_whole_nothing_begins_anew_by_itself(tmp_path: Path) -> None:
    for step in (1, 2):
        write_checkpoint(tmp_path, step, STATE).write_text("{}")
    said: list[str] = []
    with pytest.raises(InputError, match="none of the checkpoints can be used"):
        newest_state(tmp_path, said.append)
    assert len(said) == 2
