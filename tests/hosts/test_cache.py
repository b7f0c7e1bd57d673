from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from rlattn.errors import InputError
from rlattn.hosts.cache import VARIABLE, cached_folder, default_cache, digest


def write(text: str) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        (folder / "weights").write_text(text)

    return build


def fail_with(error: Exception) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        write("half")(folder)
        raise error

    return build


def must_not_run(folder: Path) -> None:
    pytest.fail(f"built again in {folder}")


def test_it_is_built_once_and_found_again(tmp_path: Path) -> None:
    folder = cached_folder(tmp_path / "new" / "cache", "host", 1, write("whole"))
    assert (folder / "weights").read_text() == "whole"
    assert cached_folder(tmp_path / "new" / "cache", "host", 1, must_not_run) == folder


def test_nothing_has_its_name_before_it_is_complete(tmp_path: Path) -> None:
    def build(folder: Path) -> None:
        assert folder.parent == tmp_path  # A rename within one file system is atomic.
        assert not (tmp_path / "host").exists()
        write("whole")(folder)

    cached_folder(tmp_path, "host", 1, build)
    assert [path.name for path in tmp_path.iterdir()] == ["host"]


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()])
def test_a_failure_leaves_nothing_behind(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        cached_folder(tmp_path, "host", 1, fail_with(error))
    assert not list(tmp_path.iterdir())


def test_of_two_builders_at_once_the_first_wins_and_both_succeed(tmp_path: Path) -> None:
    def overtaken(folder: Path) -> None:
        cached_folder(tmp_path, "host", 1, write("first"))
        write("second")(folder)

    folder = cached_folder(tmp_path, "host", 1, overtaken)
    assert (folder / "weights").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["host"]


def test_too_little_room_is_told_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no space left.* MB are needed.*RLATTN_CACHE"):
        cached_folder(tmp_path / "cache", "host", 10**18, must_not_run)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_room_that_runs_out_while_writing_is_told_in_one_line(
    tmp_path: Path, error: Exception
) -> None:
    with pytest.raises(InputError, match="no space left") as refusal:
        cached_folder(tmp_path, "host", 1, fail_with(error))
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"cannot write to the cache .*file.*RLATTN_CACHE"):
        cached_folder(tmp_path / "file" / "cache", "host", 1, must_not_run)


def test_the_environment_variable_names_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.setenv(VARIABLE, "~/hosts")
    assert default_cache() == Path.home() / "hosts"
    monkeypatch.setenv(VARIABLE, "hosts")
    assert default_cache() == Path.cwd() / "hosts"
    monkeypatch.delenv(VARIABLE)
    assert default_cache().name == "rlattn"


def test_a_digest_depends_on_values_and_not_on_the_order_of_keys() -> None:
    assert digest({"a": 1, "b": None}) == digest({"b": None, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
