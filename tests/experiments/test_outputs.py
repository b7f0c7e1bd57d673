from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from rlattn.errors import InputError
from rlattn.experiments.outputs import check_output, claim_output, save_figure, write_json
from tests.disks import small_disk


def claim(path: str | os.PathLike[str]) -> Path:
    """What is claimed, after it was let go."""
    with claim_output(path) as folder:
        return folder


def test_checking_creates_nothing_and_claiming_creates_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "new"
    assert check_output(folder) == folder
    assert list(tmp_path.iterdir()) == []
    assert claim(folder) == folder
    assert list(folder.iterdir()) == []


def test_an_empty_folder_can_be_claimed(tmp_path: Path) -> None:
    assert claim(str(tmp_path)) == tmp_path


def test_a_relative_path_starts_at_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    claim("runs/new")
    assert (tmp_path / "runs" / "new").is_dir()


@pytest.mark.parametrize("call", [check_output, claim])
class TestRefusals:
    def test_a_folder_that_holds_a_run_is_kept(self, tmp_path: Path, call: type) -> None:
        (tmp_path / "results.json").write_text("old")
        with pytest.raises(InputError, match=r"already holds files.*new or empty folder"):
            call(tmp_path)
        assert (tmp_path / "results.json").read_text() == "old"

    def test_a_file_in_the_way(self, tmp_path: Path, call: type) -> None:
        file = tmp_path / "file"
        file.write_text("kept")
        for path in (file, file / "below"):
            with pytest.raises(InputError, match="is a file"):
                call(path)
        assert file.read_text() == "kept"

    def test_a_folder_without_permission(
        self, tmp_path: Path, call: type, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
        with pytest.raises(InputError, match=f"no permission in {tmp_path}"):
            call(tmp_path / "below" / "new")

    def test_a_folder_on_a_disk_that_is_only_read(self, tmp_path: Path, call: type) -> None:
        with small_disk(tmp_path, "64k") as disk:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            with pytest.raises(InputError, match=f"a read-only file system holds {disk}; give"):
                call(disk / "new")


def test_a_name_that_no_file_can_have_is_bad_input() -> None:
    with pytest.raises(InputError, match="cannot be used: File name too long"):
        claim("x" * 5000)


def test_a_folder_that_cannot_be_made_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(InputError, match="No space left on device"):
        claim(tmp_path / "new")


@dataclass
class Point:
    x: float
    path: Path


def test_numbers_of_every_kind_become_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    write_json(
        path,
        {
            "numpy": [np.float32(0.5), np.int64(3), np.bool_(True), np.arange(3)],
            "torch": (torch.tensor(0.25), torch.ones(2, 2)),
            "dataclass": Point(1.0, Path("a/b")),
            "nested": {1: None, "text": "größer"},
        },
    )
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "numpy": [0.5, 3, True, [0, 1, 2]],
        "torch": [0.25, [[1.0, 1.0], [1.0, 1.0]]],
        "dataclass": {"x": 1.0, "path": "a/b"},
        "nested": {"1": None, "text": "größer"},
    }
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), torch.tensor([1.0, -np.inf])])
def test_what_is_not_finite_is_refused_by_place(tmp_path: Path, value: object) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(ValueError, match=r"results\.json: native: bleu.* which JSON cannot hold"):
        write_json(path, {"native": {"bleu": value}})
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_json_form_is_refused_by_place(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"results\.json: a\[1\] is a set"):
        write_json(tmp_path / "results.json", {"a": [1, {2}]})


def test_a_picture_is_a_png_and_always_the_same(tmp_path: Path) -> None:
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, 1])
    for name in ("one", "two"):
        save_figure(tmp_path / name, figure, dpi=50)
    assert (tmp_path / "one").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    write_json(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_json(path, "new")
    assert json.loads(path.read_text()) == "old"
    assert list(tmp_path.iterdir()) == [path]
