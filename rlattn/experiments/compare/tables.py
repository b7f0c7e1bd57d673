"""The tables: ``table.md`` for people, ``table.csv`` for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.rows import Row
from rlattn.experiments.compare.significance import Middle, Pair
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.resampling import Estimate
from rlattn.markdown import escape_markdown as shown

_LENIENT = 1.05
"""What reads no more than this times the target has met it."""


def markdown(
    rows: Sequence[Row],
    tasks: Sequence[Task],
    pairs: Sequence[Pair],
    middles: Sequence[Middle],
    failures: Sequence[str],
    judge: Judge[Any, Any],
    title: str,
) -> str:
    """The page of a comparison.

    Args:
        rows: What `summarise` gives.
        tasks: The tasks, each with a table of its own.
        pairs: The tests of one method against another.
        middles: The means over tasks.
        failures: A line for each run that crashed.
        judge: Says what tables hold.
        title: What was compared on.
    """
    parts = [f"# {shown(title)}"]
    for task in tasks:
        here = [row for row in rows if row.task in (task.name, None)]
        p_values = {
            pair.method: pair.p_value
            for pair in pairs
            if pair.task == task.name and pair.baseline == "native"
        }
        parts += [
            f"## {heading(task)}",
            _table(_headings(judge), [_cells(judge, r, p_values, task) for r in here]),
            *_recovered(judge, here),
        ]
    if middles:
        parts += ["## Interquartile means over tasks and seeds", _middles(middles)]
    others = [pair for pair in pairs if pair.baseline != "native"]
    if others:
        parts += ["## One method against another", _pairs(judge, others)]
    if failures:
        parts += ["## Crashed", "\n".join(f"- {shown(line)}" for line in failures)]
    most = max((row.sentences for row in rows), default=0)
    parts += ["## How to read this", judge.notes.format(sentences=f"{most:,}")]
    lines = [f"- {name}: `{signature}`" for name, signature in judge.signatures().items()]
    parts += ["\n".join(lines)] if lines else []
    return "\n\n".join(parts) + "\n"


def comma_separated(rows: Sequence[Row]) -> str:
    """All rows with plain numbers, an interval's ends beside its value."""
    file = io.StringIO()
    flat = [_flat(row) for row in rows]
    names = dict.fromkeys(name for each in flat for name in each)
    writer = csv.DictWriter(file, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return file.getvalue()


def heading(task: Task) -> str:
    """What stands above the table of a task."""
    if task.objective == "budget":
        return f"budget: at most {task.reads:.0%} of the source read"
    if task.objective == "noise":
        return "noise: another sentence beside each source"
    return "quality: what attention alone can give"


def interval(estimate: Estimate, scale: float = 1.0) -> str:
    """A value with its interval, if it has one."""
    value, low, high = (scale * x for x in (estimate.value, estimate.low, estimate.high))
    ends = f"{low:.1f}–{high:.1f}"
    return f"{value:.1f}" if ends == f"{value:.1f}–{value:.1f}" else f"{value:.1f} [{ends}]"


def reads_cell(row: Row, task: Task) -> str:
    """The reads in percent, marked where they are more than a task asked for of a method."""
    # A rule rounds to whole positions.
    asked = 1.0 if task.reads is None or row.task is None else _LENIENT * task.reads
    return interval(row.reads, 100) + ("‡" if row.reads.value > asked else "")


def _headings(judge: Judge[Any, Any]) -> list[str]:
    return [
        *("method", "seeds", f"{judge.name} [95 %]", "% of native", "p", *judge.headings),
        *("reads % [95 %]", "env steps", "forwards", "backwards", "seconds", "peak MB"),
    ]


def _cells(
    judge: Judge[Any, Any], row: Row, p_values: Mapping[str, float], task: Task
) -> list[str]:
    mark = "†" if row.kind == "bound" else "\\*" if row.needs_native else ""
    p_value = p_values.get(row.method)
    trained = row.env_steps > 0
    return [
        shown(row.method) + mark,
        str(row.seeds) + (f" of {row.seeds + len(row.failures)}" if row.failures else ""),
        interval(row.quality),
        f"{100 * sum(row.of_native) / len(row.of_native):.1f}",
        "" if p_value is None else f"{p_value:.3f}",
        *judge.cells(row),
        reads_cell(row, task),
        *(
            f"{number:,.0f}" if trained else ""
            for number in (row.env_steps, row.forwards, row.backwards, row.seconds)
        ),
        f"{row.peak_mb:,.0f}",
    ]


def _recovered(judge: Judge[Any, Any], rows: Sequence[Row]) -> list[str]:
    """How much learners recover of what an oracle gate brings back, where there is one."""
    scores = {row.method: row.quality.value for row in rows}
    native, oracle = scores["native"], scores.get("oracle-gate", 0.0)
    if oracle <= native:
        return []
    shares = [
        f"{shown(row.method)} {(row.quality.value - native) / (oracle - native):.0%}"
        for row in rows
        if row.env_steps > 0
    ]
    back = (
        f"A gate that knows which part is asked for brings back {oracle - native:.1f} {judge.unit}"
    )
    return [f"{back}; of that recover: {', '.join(shares)}." if shares else f"{back}."]


def _middles(middles: Sequence[Middle]) -> str:
    headings = ["objective", "method", "tasks", "runs", "% of native"]
    cells = [
        [shown(m.objective), shown(m.method), str(m.tasks), str(m.runs), interval(m.of_native, 100)]
        for m in middles
    ]
    return _table(headings, cells, left=2)


def _pairs(judge: Judge[Any, Any], pairs: Sequence[Pair]) -> str:
    headings = ["task", "method", "against", judge.name, "p", *judge.pair_headings]
    cells = [
        [
            *map(shown, (pair.task, pair.method, pair.baseline)),
            f"{pair.difference:+.2f}",
            f"{pair.p_value:.3f}",
            *judge.pair_cells(pair),
        ]
        for pair in pairs
    ]
    return _table(headings, cells, left=3)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    rule = ["---"] * left + ["---:"] * (len(headings) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows))


def _flat(row: Row) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name in row.__dataclass_fields__:
        value = getattr(row, name)
        if isinstance(value, Estimate):
            ends = {f"{name}_low": value.low, f"{name}_high": value.high}
            flat |= {name: value.value, **ends}
        elif name == "of_native":
            flat[name] = sum(value) / len(value)
        elif name == "failures":
            flat["crashed"] = len(value)
        else:
            flat[name] = value
    return flat
