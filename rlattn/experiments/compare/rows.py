"""What the runs of a method on a task left together, and the row that tells of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.runs import NATIVE, Run
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.resampling import Estimate


@dataclass(frozen=True)
class Outputs:
    """What came of the test sentences by a method on a task, with each seed that was finished.

    Attributes:
        method: The method.
        task: None where it is the same whatever is asked.
        seeds: The seed of each run, or None for a method without chance.
        results: What each training left.
        tests: What each made of the test sentences.
        failures: Why others crashed.
    """

    method: Method
    task: Task | None
    seeds: Sequence[int | None]
    results: Sequence[Mapping[str, Any]]
    tests: Sequence[Mapping[str, Any]]
    failures: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Row(ABC):
    """A method on a task, over its seeds.

    Attributes:
        method: Its name.
        kind: Its kind.
        task: The task's name; None where the method is the same whatever is asked.
        seeds: How many runs were finished.
        failures: Why others crashed.
        sentences: How many test sentences there were; fewer than all for what takes long.
        reads: Open over valid positions, 0 to 1; mean over seeds.
        of_native: Quality over that of native attention on the same sentences, for each seed.
        valid: Quality of what was kept on validation sentences; mean over seeds.
        env_steps: Of a training, mean over seeds, and what follows likewise.
        seconds: Of a training, without validation.
        encoded: Sources that the host's encoder read.
        forwards: Target tokens that its decoder was fed, or times that it labelled a text.
        backwards: How many of these a gradient went back through.
        peak_mb: The most memory that a training's process held, in 10^6 bytes.
        needs_native: Whether each step needs a full native pass first.
    """

    method: str
    kind: str
    task: str | None
    seeds: int
    failures: Sequence[str]
    sentences: int
    reads: Estimate
    of_native: Sequence[float]
    valid: float
    env_steps: float
    seconds: float
    encoded: float
    forwards: float
    backwards: float
    peak_mb: float
    needs_native: bool

    @property
    @abstractmethod
    def quality(self) -> Estimate:
        """What methods are compared by, 0 to 100; mean over seeds."""


def told(each: Outputs, quality: str) -> dict[str, Any]:
    """What every row tells of a method and its trainings, by name.

    Args:
        each: What its runs left.
        quality: What points of learning curves call the quality.
    """
    spent = {
        name: mean(result["spent"][name] for result in each.results)
        for name in ("seconds", "encoded", "forwards", "backwards")
    }
    return {
        "method": each.method.name,
        "kind": each.method.kind,
        "task": None if each.task is None else each.task.name,
        "seeds": len(each.tests),
        "failures": each.failures,
        "valid": mean(result["valid"][quality] for result in each.results),
        "env_steps": mean(result["env_steps"] for result in each.results),
        **spent,
        "peak_mb": max(result["memory"]["peak_mb"] for result in each.results),
        "needs_native": each.method.needs_native,
    }


def gather(runs: Sequence[Run], out: Path, methods: Mapping[str, Method]) -> list[Outputs]:
    """Reads what runs left, those of a method on a task together, in the order of methods.

    Args:
        runs: The runs of a comparison.
        out: Its folder.
        methods: All methods there are.
    """
    groups: dict[tuple[str, Task | None], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.method, run.task), []).append(run)
    order = list(methods)
    found = []
    for (name, task), members in sorted(groups.items(), key=lambda item: order.index(item[0][0])):
        done = [(run, run.result(out), run.test(out)) for run in members]
        whole = [(run, result, test) for run, result, test in done if result and test]
        failures = [
            f"{run.name}: {why}" for run in members if (why := run.failure(out)) is not None
        ]
        found.append(
            Outputs(
                methods[name],
                task,
                [run.seed for run, _, _ in whole],
                [result for _, result, _ in whole],
                [test for _, _, test in whole],
                failures,
            )
        )
    return found


def middle(scores: Sequence[float]) -> int:
    """The place of the median; of an even number, that of the lower of the two."""
    return int(np.argsort(scores, kind="stable")[(len(scores) - 1) // 2])


def native_of(outputs: Sequence[Outputs]) -> Outputs:
    """What came of native attention."""
    return next(each for each in outputs if each.method.name == NATIVE.method)
