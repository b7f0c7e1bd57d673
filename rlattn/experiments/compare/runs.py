"""The runs of a comparison: which there are, and what each leaves in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlattn.errors import InputError, explained
from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.tasks import Task
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import read_object

RESULT, TEST, FAILURE = "result.json", "test.json", "failure.json"
"""What a training, a test and a crash leave; the first two are whole or not there."""

LARGEST = 2**28
"""The most bytes of such a file."""


@dataclass(frozen=True)
class Run:
    """A method on a task with a seed.

    Attributes:
        method: Its name.
        task: What is asked for; None for a method that is the same whatever is asked.
        seed: None for a method without chance.
        trial: Which settings it tries, when settings are looked for.
    """

    method: str
    task: Task | None = None
    seed: int | None = None
    trial: int | None = None

    @property
    def name(self) -> str:
        """What it is called, and its folder too, such as ``ppo.budget-20.0``."""
        task = None if self.task is None else self.task.name
        trial = None if self.trial is None else f"trial-{self.trial}"
        parts = (self.method, task, self.seed, trial)
        return ".".join(str(part) for part in parts if part is not None)

    def folder(self, out: Path) -> Path:
        """Where it keeps its files."""
        return out / "runs" / self.name

    def result(self, out: Path) -> dict[str, Any] | None:
        """What its training left, if it is finished."""
        return _read(self.folder(out) / RESULT, "valid", "curve", "env_steps", "spent", "found")

    def test(self, out: Path) -> dict[str, Any] | None:
        """What came of the test sentences, if they were read."""
        return _read(self.folder(out) / TEST, "reads_fraction", "truncated")

    def failure(self, out: Path) -> str | None:
        """The last line of the error of its crash, if it crashed."""
        found = _read(self.folder(out) / FAILURE, "failure")
        return None if found is None else str(found["failure"])


NATIVE = Run("native")
"""What all others are compared with; it comes before them."""


def plan(methods: Sequence[Method], tasks: Sequence[Task], seeds: int) -> list[Run]:
    """All runs, native attention first.

    Seeds come in turn, so that a comparison that is stopped early has a few of every method.
    """
    return [
        Run(method.name, task, seed if method.seeded else None)
        for seed in range(seeds)
        for method in methods
        for task in _tasks_of(method, tasks)
        if method.seeded or not seed
    ]


def _tasks_of(method: Method, tasks: Sequence[Task]) -> Sequence[Task | None]:
    if not method.objectives:
        return [None]
    return [task for task in tasks if task.objective in method.objectives]


def _read(path: Path, *fields: str) -> dict[str, Any] | None:
    if not path.exists():
        return None
    with explained(str(path.parent)):
        content = read_object(file_in(path.parent, path.name), LARGEST)
        for name in fields:
            if name not in content:
                raise InputError(f"{path.name}: the field {name} is missing")
    return content
