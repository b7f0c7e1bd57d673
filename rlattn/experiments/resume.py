"""Going on with a run in its folder, as its ``config.json`` describes it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from rlattn.errors import InputError, explained
from rlattn.experiments.checks import Resumable
from rlattn.experiments.lock import alone
from rlattn.experiments.outputs import CONFIG, RESULTS, as_json, claim_output, write_json
from rlattn.storage.fields import read
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import read_object

C = TypeVar("C", bound=Resumable)
_RUN = ("experiment", "objective_resolved", "ppo", "labels", "corpus_resolved", "host_resolved")
"""What must be the same where a run goes on, besides its settings."""


def settings_of_run(config: C) -> C:
    """The settings of the run that is to be resumed; or those that are given, where none is.

    Args:
        config: With `resume` and nothing else, or what else is the run's setting, too.

    Raises:
        InputError: If the folder is not that of a run, or a setting is not the run's.
    """
    if config.resume is None:
        return config
    folder = config.resume.expanduser()
    kind, found = type(config), described(folder)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    known = {name: found[name] for name in names if name in found}
    run = read(kind, known, str(folder / CONFIG))
    usual = kind()
    for name in names:
        given, was = getattr(config, name), getattr(run, name)
        if name not in ("resume", "out") and given not in (getattr(usual, name), was):
            raise InputError(
                f"--resume {folder}: the run has {name} {was}, and {given} was given: give "
                "--resume alone, or begin another run"
            )
    return replace(run, resume=folder, out=folder)  # type: ignore[type-var]


def finished_results(folder: Path | None, console: Console) -> dict[str, Any] | None:
    """The results of a run that is over, which is said; None where there is something to do."""
    if folder is None or not (folder / RESULTS).is_file():
        return None
    console.print(
        f"the run in {folder} is finished: nothing is left to do",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    results: dict[str, Any] = json.loads((folder / RESULTS).read_text(encoding="utf-8"))
    return results


@contextmanager
def run_folder(
    out: Path, description: Mapping[str, Any], console: Console, *, resume: bool
) -> Iterator[tuple[str, ...]]:
    """Claims the folder of a new run and describes it there, or goes on in that of an old one.

    Args:
        out: The folder.
        description: What ``config.json`` says of the run.
        console: Is told where a run goes on under other conditions than it began.
        resume: Whether the run is there already.

    Yields:
        The command line that the run began with.

    Raises:
        InputError: If the folder is taken; or if it is that of another run, says what differs.
        OutputError: If it cannot be written.
    """
    if not resume:
        with claim_output(out):
            write_json(out / CONFIG, description)
            yield tuple(shlex.split(description["provenance"]["command"]))
        return
    with alone(out):
        before = described(out)
        for name in _RUN:
            now, then = as_json(description.get(name), name), before.get(name)
            if now != then:
                raise InputError(
                    f"--resume {out}: {name} is not what the run began with: found {now}, expected "
                    f"{then}; give it the same files and the same modules"
                )
        now, then = description["provenance"], before.get("provenance") or {}
        _tell_changes(then, now, console)
        yield tuple(shlex.split(then.get("command", now["command"])))


def described(folder: Path) -> dict[str, Any]:
    """What a folder says of the run that was begun in it.

    Raises:
        InputError: If it says nothing.
    """
    with explained(f"--resume {folder}: not the folder of a run that was begun"):
        return read_object(file_in(folder, CONFIG))


def _tell_changes(before: Mapping[str, Any], now: Mapping[str, Any], console: Console) -> None:
    """Says what is different, if it may change the last digits."""
    names = ("python", "threads", "accelerator")
    then, present = (
        {**{name: each.get(name) for name in names}, **each.get("versions", {})}
        for each in (before, now)
    )
    changed = [f"{k} {then.get(k)} -> {v}" for k, v in present.items() if then.get(k) != v]
    if changed:
        console.print(
            f"this run began elsewhere, so its last digits may differ: {'; '.join(changed)}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
