"""The learning curves: validation quality and reads against each way to count a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from rlattn.drawing import GREY, NORMAL, SMALL, plain
from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.looks import look
from rlattn.experiments.compare.rows import Outputs
from rlattn.experiments.compare.tasks import Task

Curve = Sequence[Mapping[str, Any]]
"""The points of one training, as a run's ``result.json`` has them."""

_BUDGETS: dict[str, Callable[[Mapping[str, Any]], float]] = {
    "environment steps": lambda point: point["env_steps"],
    "tokens through the host, both ways": lambda point: (
        point["spent"]["forwards"] + point["spent"]["backwards"]
    ),
    "seconds": lambda point: point["spent"]["seconds"],
}


def draw_curves(
    outputs: Sequence[Outputs], tasks: Sequence[Task], judge: Judge[Any, Any], native: float
) -> Figure:
    """Draws all learners: a row for each task's quality, and one for its reads under a target.

    A line is the mean over seeds, its band goes from the least to the most of them; validations are
    put together by their number, at the mean of what was spent.

    Args:
        outputs: What was learned.
        tasks: The tasks.
        judge: Says what the quality is.
        native: What native attention reaches on the validation sentences.
    """
    rows = [
        (task, name)
        for task in tasks
        for name in ((judge.quality,) if task.reads is None else (judge.quality, "reads_fraction"))
    ]
    heights = [1.7 if name == "reads_fraction" else 2.5 for _, name in rows]
    figure = Figure(figsize=(10.4, sum(heights) + 1.0), dpi=150, layout="constrained")
    grid = figure.subplots(
        len(rows), len(_BUDGETS), squeeze=False, height_ratios=heights, sharey="row"
    )
    for panels, (task, name) in zip(grid, rows, strict=True):
        for panel, (axis, spent) in zip(panels, _BUDGETS.items(), strict=True):
            for each in outputs:
                curves = [result["curve"] for result in each.results if result["curve"]]
                if each.task == task and curves:
                    _draw(panel, each.method.name, curves, spent, name, native)
            panel.xaxis.set_major_formatter(EngFormatter(sep=""))
            panel.yaxis.set_major_formatter("{x:g}%")
            panel.set_xlabel(axis, fontsize=SMALL)
            quality = name != "reads_fraction"
            level = 100.0 if quality else 100.0 * (task.reads or 1.0)
            style = "--" if quality else ":"
            panel.axhline(level, color=GREY, linestyle=style, linewidth=1.2, zorder=1)
            plain(panel)
        of_native = f"validation {judge.name}, of native"
        what = "source positions read" if name == "reads_fraction" else of_native
        panels[0].set_title(f"{task.name}: {what}", fontsize=NORMAL, loc="left")
        if name == "reads_fraction":
            panels[0].set_ylim(0, 105)
    lines = {line.get_label(): line for panel in grid.flat for line in panel.get_lines()}
    named = {name: line for name, line in lines.items() if not str(name).startswith("_")}
    figure.legend(
        list(named.values()),
        [str(name) for name in named],
        loc="outside upper center",
        ncols=max(1, len(named)),
        fontsize=SMALL,
        frameon=False,
    )
    return figure


def _draw(
    axes: Axes,
    method: str,
    curves: Sequence[Curve],
    spent: Callable[[Mapping[str, Any]], float],
    name: str,
    native: float,
) -> None:
    # With minutes for a budget, seeds may differ by a validation.
    length = min(map(len, curves))
    x = np.array([[spent(point) for point in curve[:length]] for curve in curves]).mean(axis=0)
    # A host that gets nothing right has no quality to be relative to; its line stays away.
    scale = 100 if name == "reads_fraction" else 100 / native if native else np.nan
    y = scale * np.array([[point[name] for point in curve[:length]] for curve in curves])
    style = look(method)
    axes.fill_between(
        x, y.min(axis=0), y.max(axis=0), color=style["color"], alpha=0.15, linewidth=0
    )
    axes.plot(x, y.mean(axis=0), **style, linewidth=1.6, markersize=3, label=method)
