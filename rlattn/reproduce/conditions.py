"""Under what a run was made, and what is different now: told before anything is run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rlattn.errors import InputError, explained
from rlattn.experiments.provenance import Identified, provenance
from rlattn.reproduce.programs import Run

_NO_MATTER = ("command", "threads")
"""The command is another one, and the number of threads is made the same."""


def changes(then: Mapping[str, Any]) -> Iterator[str]:
    """A line for each version, or part of the machine, that is another now.

    Args:
        then: The provenance of a run.
    """
    now: dict[str, Any] = provenance()
    yield from _changes({**then, **then["versions"]}, {**now, **now["versions"]})


def _changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in now:
        if name not in (*_NO_MATTER, "versions") and then.get(name) != now[name]:
            yield f"{name.replace('_', ' ')} was {then.get(name)} and is {now[name]}"


def check_material(run: Run) -> None:
    """Makes sure that the corpus and the host of a run are still those.

    Raises:
        InputError: If one of them is missing, or is another.
    """
    with explained("the run cannot be made again"):
        found = run.program.find(run.config)
    if found is not None:
        for what, thing in zip(("corpus", "host"), found, strict=True):
            _check(what, run.about[f"{what}_resolved"], thing)


def _check(what: str, then: Mapping[str, str], now: Identified) -> None:
    if then["fingerprint"] != now.fingerprint:
        raise InputError(
            f"the run cannot be made again: its {what} was {then['name']} "
            f"({then['fingerprint'][:12]}), and {now.name} ({now.fingerprint[:12]}) is another: "
            f"put the {what} of then in its place"
        )
