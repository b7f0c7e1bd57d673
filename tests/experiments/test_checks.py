"""What every training is asked for is checked before anything is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rlattn.errors import InputError
from rlattn.experiments.checks import check_above_0, check_training


@dataclass(frozen=True)
class Config:
    """What a training has to be told, and a number of something."""

    some_things: int = 1
    learning_rate: float = 1e-3
    gamma: float | None = None
    seed: int = 0
    device: str = "cpu"
    imports: tuple[str, ...] = ()
    out: Path | None = None
    checkpoint_minutes: float = 2.0
    resume: Path | None = None


def check(**settings: Any) -> Path:
    return check_training(Config(**settings), "some_things", name="try")


def test_the_out_folder_is_named_and_not_made(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "new"
    assert check(out=out) == out
    assert list(tmp_path.iterdir()) == []


def test_without_one_it_is_named_after_the_time() -> None:
    assert re.fullmatch(r"try-20\d{6}-\d{6}", check().name)
    assert check().parent == Path("runs")


def test_a_folder_with_files_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="already holds files"):
        check(out=tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("some_things", value) for value in (0, -7)),
        *(("learning_rate", float(value)) for value in ("0", "-1", "nan", "inf")),
        *(("gamma", float(value)) for value in ("-0.1", "1.1", "nan", "inf")),
        *(("seed", value) for value in (-1, 2**32)),
        *(("checkpoint_minutes", float(value)) for value in ("-1", "nan", "inf")),
    ],
)
def test_numbers_out_of_range_are_named_by_their_option(name: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"^--{name.replace('_', '-')} {value}: expected"):
        check(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("gamma", 0.0), ("gamma", 1.0), ("seed", 2**32 - 1)])
def test_numbers_at_the_ends_of_their_range_will_do(name: str, value: float) -> None:
    check(**{name: value})


@pytest.mark.parametrize("device", ["", "nonsense", "meta", "cuda:99"])
def test_a_device_that_cannot_compute_is_refused(device: str) -> None:
    with pytest.raises(InputError, match=f"--device {device}: not available here; try cpu"):
        check(device=device)


def test_modules_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "module_of_a_test.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    monkeypatch.syspath_prepend(str(tmp_path))
    check(imports=("module_of_a_test",))
    assert (tmp_path / "ran").exists()
    with pytest.raises(InputError, match="--imports no_such_module: No module named"):
        check(imports=("no_such_module",))


@pytest.mark.parametrize("number", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_not_above_0_is_named_by_its_option(number: float) -> None:
    with pytest.raises(InputError, match=f"^--host-minutes {number}: expected a number above 0"):
        check_above_0("host_minutes", number)
    check_above_0("host_minutes", 1e-9)


def test_the_folder_of_a_run_that_is_resumed_may_hold_files(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert check(resume=tmp_path) == tmp_path
