"""Jobs in processes of their own: what fails is told, and leaves the others alone."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from rlattn.experiments.compare.workers import Job, work


def write(path: Path, text: str = "done") -> None:
    path.write_text(text)


def fail() -> None:
    print("on the way", flush=True)
    raise ValueError("no such luck")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(path: Path) -> None:
    path.write_text(str(os.getpid()))
    time.sleep(600)


class Notes:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.failures: dict[str, str | None] = {}

    def started(self, job: Job) -> None:
        pass

    def ended(self, job: Job, failure: str | None) -> None:
        self.failures[job.name] = failure

    def waiting(self) -> None:
        pass


def test_what_fails_says_why_and_leaves_the_others_alone(tmp_path: Path) -> None:
    notes = Notes()
    jobs = [
        Job("fails", fail, tmp_path / "fails.log"),
        Job("dies", die, tmp_path / "dies.log"),
        Job("works", partial(write, tmp_path / "done"), tmp_path / "works.log"),
    ]
    work(jobs, 2, notes)
    assert notes.failures == {
        "fails": "ValueError: no such luck",
        "dies": "killed by signal 9",
        "works": None,
    }
    assert (tmp_path / "done").read_text() == "done"
    assert (tmp_path / "fails.log").read_text().startswith("on the way")


def test_an_interrupt_ends_everything_that_is_at_work(tmp_path: Path) -> None:
    class Impatient(Notes):
        def waiting(self) -> None:
            if (tmp_path / "pid").exists():
                raise KeyboardInterrupt

    job = Job("sleeps", partial(sleep, tmp_path / "pid"), tmp_path / "sleeps.log")
    with pytest.raises(KeyboardInterrupt):
        work([job], 1, Impatient())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
