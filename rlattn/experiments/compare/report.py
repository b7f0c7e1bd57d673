"""Everything that a comparison leaves for people and programs, from what its runs left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rlattn.drawing import any_glyph
from rlattn.experiments.compare.curves import draw_curves
from rlattn.experiments.compare.front import draw_front
from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.problem import Problem
from rlattn.experiments.compare.rows import Outputs, gather
from rlattn.experiments.compare.runs import NATIVE, Run
from rlattn.experiments.compare.significance import middles
from rlattn.experiments.compare.strip import draw_strip
from rlattn.experiments.compare.tables import comma_separated, markdown
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.outputs import RESULTS, save_figure, write_json
from rlattn.inference import Alignment
from rlattn.storage.files import write_file


def write_report(
    out: Path,
    runs: Sequence[Run],
    tasks: Sequence[Task],
    references: Sequence[str],
    problem: Problem,
    title: str,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Writes ``results.json``, ``table.md``, ``table.csv`` and the pictures.

    Args:
        out: The comparison's folder.
        runs: Its runs; native attention is among them and finished.
        tasks: Its tasks.
        references: Of the test sentences.
        problem: Whether they were translated or labelled.
        title: What was compared on.
        about: What the program was asked for and what it works with, for ``results.json``.

    Returns:
        What also stands in ``results.json``.
    """
    judge = problem.judge
    outputs = gather(runs, out, problem.methods)
    rows = judge.summarise(outputs, references)
    tested = [pair for task in tasks for pair in judge.pairs(outputs, task, references)]
    over_tasks = middles(rows, tasks)
    failures = [line for each in outputs for line in each.failures]
    results = {
        **about,
        "runs": [_run(run, out, judge, references) for run in runs],
        "summary": rows,
        "pairs": tested,
        "interquartile_means": over_tasks,
        "signatures": judge.signatures(),
        "test_sentences": len(references),
    }
    write_json(out / RESULTS, results)
    page = markdown(rows, tasks, tested, over_tasks, failures, judge, title)
    write_file(out / "table.md", page)
    write_file(out / "table.csv", comma_separated(rows))
    native = NATIVE.result(out)
    assert native is not None
    with any_glyph():
        if any(result["curve"] for each in outputs for result in each.results):
            figure = draw_curves(outputs, tasks, judge, native["valid"][judge.quality])
            save_figure(out / "curves.png", figure)
        front = draw_front(rows, judge.name)
        if front is not None:
            save_figure(out / "pareto.png", front)
        shown = _examples(outputs, tasks, judge, references)
        if shown:
            save_figure(out / "strip.png", draw_strip(shown))
    return results


def _run(run: Run, out: Path, judge: Judge[Any, Any], references: Sequence[str]) -> dict[str, Any]:
    """The row of a run in ``results.json``."""
    row: dict[str, Any] = {"run": run.name, **asdict(run), "failure": run.failure(out)}
    result, test = run.result(out), run.test(out)
    if result is not None:
        row |= {name: value for name, value in result.items() if name not in ("run", "curve")}
    if test is not None:
        row["test"] = judge.tested(test, references)
    return row


def _examples(
    outputs: Sequence[Outputs],
    tasks: Sequence[Task],
    judge: Judge[Any, Any],
    references: Sequence[str],
) -> dict[str, Alignment]:
    """How one sentence was read, by method and task, each with its median seed.

    Of the tasks of an objective, one in the middle is enough for a picture.
    """
    shown: list[Task | None] = [None]
    for objective in dict.fromkeys(task.objective for task in tasks):
        own = [task for task in tasks if task.objective == objective]
        shown.append(own[len(own) // 2])
    found = {}
    for each in (each for task in shown for each in outputs if each.task == task):
        if each.tests:
            example = each.tests[judge.median_seed(each, references)].get("example")
            if example is not None:
                task = "" if each.task is None else f" · {each.task.name}"
                found[each.method.name + task] = Alignment(
                    example["source"],
                    example["target"],
                    np.array(example["attention"]),
                    np.array(example["opened"], dtype=bool),
                )
    return found
