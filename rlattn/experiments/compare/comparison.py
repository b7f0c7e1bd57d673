"""The folder of a comparison: begun once, and gone on with by whoever asks for the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rlattn.errors import InputError, explained
from rlattn.experiments.compare.execute import test_run, train_run
from rlattn.experiments.compare.runs import FAILURE, Run
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import AnyConfig
from rlattn.experiments.compare.workers import Job
from rlattn.experiments.lock import alone
from rlattn.experiments.outputs import check_output, claim_output, write_json
from rlattn.experiments.resume import settings_of_run
from rlattn.storage.files import make_folder
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import read_object

COMPARISON = "comparison.json"
"""What a comparison is, for whoever wants to go on with it."""


def settings_of_comparison(config: AnyConfig) -> AnyConfig:
    """The settings of the comparison that is to be resumed; or those that are given, without one.

    Raises:
        InputError: If the folder is not that of a comparison, or a setting is not the one it has.
    """
    if config.resume is not None and not (config.resume.expanduser() / COMPARISON).is_file():
        raise InputError(f"--resume {config.resume}: not the folder of a comparison that was begun")
    # Whoever makes it again from these settings begins anew.
    return replace(settings_of_run(config), resume=None)


@contextmanager
def open_folder(out: Path, identity: Mapping[str, Any]) -> Iterator[None]:
    """Begins a comparison in a folder, or goes on with the one that is there; keeps others out.

    Args:
        out: The folder.
        identity: What must be the same, see `same_comparison`.

    Raises:
        InputError: If it holds anything else, or another comparison, says what differs; or if
            another process is at work in it.
    """
    file = out / COMPARISON
    if not file.is_file():
        with claim_output(out):
            write_json(file, identity)
            yield
        return
    with alone(out):
        with explained(f"--out {out}"):
            found = read_object(file_in(out, COMPARISON))
        _check_same(out, found, identity)
        yield


def _check_same(out: Path, found: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
    wanted = json.loads(json.dumps(identity))
    different = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if different:
        what = "; ".join(
            f"{name} was {found.get(name)!r} and is {wanted.get(name)!r}" for name in different
        )
        raise InputError(
            f"--out {out} holds another comparison ({what}): give the same settings to go on with "
            "it, or another folder"
        )


def check_folder(out: Path) -> None:
    """Makes sure early that a folder is new, or that of some comparison.

    Raises:
        InputError: If it is neither.
    """
    if not (out / COMPARISON).is_file():
        check_output(out)


def trainings(
    runs: Sequence[Run], config: AnyConfig, out: Path, settings: Settings
) -> Iterator[Job]:
    """The trainings that are not finished; what an earlier attempt left is removed."""
    for run in runs:
        folder = run.folder(out)
        shutil.rmtree(folder, ignore_errors=True)
        make_folder(folder)
        yield Job(run.name, partial(train_run, config, run, out, settings), folder / "train.log")


def tests(runs: Sequence[Run], config: AnyConfig, out: Path, settings: Settings) -> Iterator[Job]:
    """The tests that are not there yet."""
    for run in runs:
        folder = run.folder(out)
        (folder / FAILURE).unlink(missing_ok=True)
        work = partial(test_run, config, run, out, settings)
        yield Job(run.name, work, folder / "test.log")


def note_failures(out: Path) -> Callable[[Job, str | None], None]:
    """What leaves in the folder of each run that fails why it did."""

    def ended(job: Job, failure: str | None) -> None:
        if failure is not None:
            write_json(out / "runs" / job.name / FAILURE, {"failure": failure})

    return ended
