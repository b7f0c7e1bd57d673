"""The tables: ``table.md`` for people, ``table.csv`` for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from rlattn.experiments.compare.significance import Middle, Pair
from rlattn.experiments.compare.summary import Row
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.resampling import Estimate

_HEADINGS = {
    "method": "l",
    "seeds": "r",
    "BLEU [95 %]": "r",
    "% of native": "r",
    "p": "r",
    "chrF": "r",
    "TER": "r",
    "reads % [95 %]": "r",
    "env steps": "r",
    "forwards": "r",
    "backwards": "r",
    "seconds": "r",
    "peak MB": "r",
}

_LENIENT = 1.05
"""What reads no more than this times the target has met it."""

_NOTES = """\
Means over seeds, on {sentences} test sentences that were read once, after all training. Intervals
come from a bootstrap that resamples the seeds and the sentences. p: paired bootstrap of the BLEU
against native attention, two-sided, the run with the median BLEU standing for its method.
*Forwards* are target tokens that the frozen host's decoder was fed in training, *backwards* those
that a gradient went back through; with *seconds* they leave validation out. *Peak MB* is the most
memory that a training's process held, host and validation included. A method with a star needs a
full native pass before each step, also when it translates. A bound (†) knows what no policy can:
the oracle the references, on the first few sentences only, and is compared with native attention on
these; others which part of a noisy source is asked for. Where reads have a target, the threshold of
a policy's gates is set at each validation, so that it reads what it may there and all compare at
equal reads. What is marked with ‡ reads more than was asked for on the test set. Interquartile
means are those of the BLEU as a share of the native BLEU, their intervals from a bootstrap that
resamples the seeds of each task by themselves."""


def markdown(
    rows: Sequence[Row],
    tasks: Sequence[Task],
    pairs: Sequence[Pair],
    middles: Sequence[Middle],
    failures: Sequence[str],
    signatures: Mapping[str, str],
    title: str,
) -> str:
    """The page of a comparison.

    Args:
        rows: What `summarise` gives.
        tasks: The tasks, each with a table of its own.
        pairs: The tests of one method against another.
        middles: The means over tasks.
        failures: A line for each run that crashed.
        signatures: Those of the metrics.
        title: What was compared on.
    """
    parts = [f"# {title}"]
    for task in tasks:
        here = [row for row in rows if row.task in (task.name, None)]
        p_values = {
            pair.method: pair.p_value
            for pair in pairs
            if pair.task == task.name and pair.baseline == "native"
        }
        parts += [
            f"## {heading(task)}",
            _table(_HEADINGS, [_cells(r, p_values, task) for r in here]),
            *_recovered(here),
        ]
    if middles:
        parts += ["## Interquartile means over tasks and seeds", _middles(middles)]
    others = [pair for pair in pairs if pair.baseline != "native"]
    if others:
        parts += ["## One method against another", _pairs(others)]
    if failures:
        parts += ["## Crashed", "\n".join(f"- {line}" for line in failures)]
    most = max((row.sentences for row in rows), default=0)
    lines = [f"- {name}: `{signature}`" for name, signature in signatures.items()]
    parts += ["## How to read this", _NOTES.format(sentences=f"{most:,}"), "\n".join(lines)]
    return "\n\n".join(parts) + "\n"


def comma_separated(rows: Sequence[Row]) -> str:
    """All rows with plain numbers, an interval's ends beside its value."""
    file = io.StringIO()
    flat = [_flat(row) for row in rows]
    writer = csv.DictWriter(file, list(flat[0]), lineterminator="\n")
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


def _cells(row: Row, p_values: Mapping[str, float], task: Task) -> list[str]:
    mark = "†" if row.kind == "bound" else "\\*" if row.needs_native else ""
    p_value = p_values.get(row.method)
    trained = row.env_steps > 0
    return [
        row.method + mark,
        str(row.seeds) + (f" of {row.seeds + len(row.failures)}" if row.failures else ""),
        interval(row.bleu),
        f"{100 * sum(row.of_native) / len(row.of_native):.1f}",
        "" if p_value is None else f"{p_value:.3f}",
        f"{row.chrf.value:.1f}",
        f"{row.ter.value:.1f}",
        reads_cell(row, task),
        *(
            f"{number:,.0f}" if trained else ""
            for number in (row.env_steps, row.forwards, row.backwards, row.seconds)
        ),
        f"{row.peak_mb:,.0f}",
    ]


def _recovered(rows: Sequence[Row]) -> list[str]:
    """How much learners recover of what an oracle gate brings back, where there is one."""
    scores = {row.method: row.bleu.value for row in rows}
    native, oracle = scores["native"], scores.get("oracle-gate", 0.0)
    if oracle <= native:
        return []
    shares = [
        f"{row.method} {(row.bleu.value - native) / (oracle - native):.0%}"
        for row in rows
        if row.env_steps > 0
    ]
    back = f"A gate that knows which part is asked for brings back {oracle - native:.1f} BLEU"
    return [f"{back}; of that recover: {', '.join(shares)}." if shares else f"{back}."]


def _middles(middles: Sequence[Middle]) -> str:
    headings = {"objective": "l", "method": "l", "tasks": "r", "runs": "r", "% of native": "r"}
    cells = [
        [m.objective, m.method, str(m.tasks), str(m.runs), interval(m.of_native, 100)]
        for m in middles
    ]
    return _table(headings, cells)


def _pairs(pairs: Sequence[Pair]) -> str:
    headings = {"task": "l", "method": "l", "against": "l", "BLEU": "r", "p": "r"}
    cells = [
        [
            *(pair.task, pair.method, pair.baseline),
            f"{pair.difference:+.2f}",
            f"{pair.p_value:.3f}",
            *(f"{p_value:.3f}" for p_value in pair.sacrebleu.values()),
        ]
        for pair in pairs
    ]
    return _table({**headings, "sacreBLEU’s p": "r"}, cells)


def _table(headings: Mapping[str, str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---:" if side == "r" else "---" for side in headings.values()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (list(headings), rule, *rows))


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
