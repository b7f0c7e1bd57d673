"""What the programs share."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from rlattn.console.cli import Maybe, check_counts, check_device, import_modules, run_program
from rlattn.errors import InputError, SteeringError, UnsupportedModelError


@dataclass(frozen=True)
class Config:
    """Settings.

    Attributes:
        some_name: Anything; by default nothing.
        count: How many.
    """

    some_name: Maybe[str] = None
    count: int = 1


Call = Callable[..., None]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls a program that does what it is told."""

    def calls(run: Callable[[Config], object], *arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["program", *arguments])
        run_program("a.program", "Does something.", Config, run)

    return calls


def fail_with(error: Exception) -> Callable[[Config], object]:
    def run(_: Config) -> object:
        raise error

    return run


def test_options_become_settings(call: Call) -> None:
    seen: list[Config] = []
    call(seen.append)
    call(seen.append, "--some-name", "a b", "--count", "3")
    assert seen == [Config(None, 1), Config("a b", 3)]


@pytest.mark.parametrize("kind", [InputError, UnsupportedModelError, SteeringError])
def test_an_error_that_is_meant_is_one_line(
    call: Call, kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        call(fail_with(kind("no :cat: in [red]\r\nsecond line\n" + 300 * "x")))
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.err == "error: no :cat: in [red] second line " + 300 * "x" + "\n"
    assert said.out == ""


def test_any_other_error_is_ours(call: Call) -> None:
    with pytest.raises(ZeroDivisionError):
        call(fail_with(ZeroDivisionError()))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_takes_nothing_more_is_one_line(
    call: Call, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        call(fail_with(OSError(number, os.strerror(number), "some/file")))
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: some/file: cannot be written ({os.strerror(number)}): ")
    assert said.endswith("name another place\n")


def test_standard_output_on_a_full_disk_is_one_line() -> None:
    program = (
        "from dataclasses import dataclass; from rlattn.console.cli import run_program\n"
        "Config = dataclass(type('Config', (), {'__doc__': 'None.'}))\n"
        "run_program('a.program', 'Says something.', Config, lambda _: print('something'))"
    )
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr == (
        "error: output: cannot be written (No space left on device): make room there, or name "
        "another place\n"
    )


def test_the_client_of_the_hub_is_quiet(call: Call) -> None:
    call(lambda _: None)
    assert not logging.getLogger("huggingface_hub.utils").isEnabledFor(logging.WARNING)


def test_help_says_how_to_call_it(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call(lambda _: None, "--help")
    assert end.value.code == 0
    page = capsys.readouterr().out
    assert page.startswith("usage: python -m a.program ")
    assert "Does something." in page
    assert "--some-name STR" in page
    assert "None" not in page


def test_counts_are_at_least_one() -> None:
    check_counts(Config(), "count")
    with pytest.raises(InputError, match=r"^--count 0: expected at least 1$"):
        check_counts(Config(count=0), "count")


def test_a_device_must_hold_numbers() -> None:
    check_device("cpu")
    for device in ("abacus", "meta", ""):
        with pytest.raises(InputError, match=f"^--device {device}: not available here; try cpu$"):
            check_device(device)


def test_modules_of_ones_own_are_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of_my_own.py").write_text("import sys\nsys.of_my_own = 7\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "of_my_own", 0, raising=False)
    import_modules(["of_my_own"])
    assert sys.of_my_own == 7


def test_a_module_that_is_not_there_is_bad_input() -> None:
    with pytest.raises(InputError, match=r"--imports nowhere: No module named .*my_rewards\.py"):
        import_modules(["nowhere"])
