"""Files are whole or not there, also on a disk that is full."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rlattn.errors import OutputError, RlattnError
from rlattn.storage.files import make_folder, write_file, writing
from tests.disks import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, "64k") as folder:
        yield folder


def test_text_becomes_utf_8_and_keeps_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, "größer\r\nals\n")
    assert path.read_bytes() == "größer\r\nals\n".encode()
    write_file(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_alone(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_file(path, "old")

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os if step == "fsync" else Path, step, fail)
        with pytest.raises(OutputError, match="Input/output error"):
            write_file(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_of_a_full_disk_it_says_which_file_and_what_to_do(disk: Path) -> None:
    path = disk / "file"
    write_file(path, "old")
    with pytest.raises(OutputError) as refusal:
        write_file(path, bytes(100_000))
    assert str(refusal.value) == (
        f"{path}: cannot be written (No space left on device): make room there, or name another "
        "place"
    )
    assert path.read_text() == "old"
    assert list(disk.iterdir()) == [path]


def test_a_disk_that_became_read_only_is_told_alike(disk: Path) -> None:
    path = disk / "file"
    write_file(path, "old")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(OutputError, match=r"\(Read-only file system\): see that it can be written"):
        write_file(path, "new")
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    make_folder(tmp_path / "new" / "folder")
    make_folder(tmp_path / "new" / "folder")
    assert (tmp_path / "new" / "folder").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/below: cannot be written \(Not a directory\)"):
        make_folder(tmp_path / "file" / "below")


def test_what_is_no_matter_of_files_passes(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        raise ZeroDivisionError
    inner = OutputError("told already")
    with pytest.raises(RlattnError) as outer, writing(tmp_path):
        raise inner
    assert outer.value is inner
