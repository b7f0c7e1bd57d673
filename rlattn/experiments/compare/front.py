"""The Pareto front of quality against reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rlattn.drawing import GREY, NORMAL, SMALL, plain
from rlattn.experiments.compare.looks import look
from rlattn.experiments.compare.rows import Row
from rlattn.plots import OperatingPoint, pareto_front

_KEPT = 0.5
"""What keeps less of the native quality stands at the edge."""


def draw_front(rows: Sequence[Row], quality: str) -> Figure | None:
    """Draws what methods keep of the native quality for what they read, and what none beats.

    A line joins the tasks of one method. The front is a staircase: between two points, what can be
    had is the one that reads less. A bound is none of the methods. What would flatten the rest
    stands at the edge, and the legend says what it came to.

    Args:
        rows: What `summarise` gives.
        quality: What the quality is called.

    Returns:
        None where every method reads everything.
    """
    native = next(row for row in rows if row.method == "native")
    methods = [row for row in rows if row.reads.value < 0.999 and row.kind != "bound"]
    if not methods:
        return None
    figure = Figure(figsize=(6.6, 4.2), dpi=150, layout="constrained")
    axes = figure.subplots()
    points = [OperatingPoint(r.method, r.reads.value, r.quality.value) for r in methods]
    front = pareto_front([*points, OperatingPoint("native", 1.0, native.quality.value)])
    axes.plot(
        np.repeat([100 * point.reads_fraction for point in front], 2)[1:],
        np.repeat([point.quality for point in front], 2)[:-1],
        color="0.8",
        linewidth=5,
        solid_capstyle="butt",
        label="Pareto front",
        zorder=1,
    )
    axes.axhspan(native.quality.low, native.quality.high, color="0.95", linewidth=0, zorder=0)
    axes.axhline(
        native.quality.value, color=GREY, linestyle="--", linewidth=1.2, label="native", zorder=1
    )
    floor = _KEPT * native.quality.value
    for name in dict.fromkeys(row.method for row in methods):
        own = sorted((r for r in methods if r.method == name), key=lambda row: row.reads.value)
        _draw(axes, own, floor)
    axes.set_xlim(0, 105)
    if any(row.quality.value < floor for row in methods):
        axes.set_ylim(bottom=floor - 0.03 * native.quality.value)
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel("source positions read", fontsize=NORMAL)
    axes.set_title(f"{quality} on the test sentences", fontsize=NORMAL, loc="left")
    plain(axes)
    figure.legend(loc="outside right upper", fontsize=SMALL, frameon=False)
    return figure


def _draw(axes: Axes, rows: Sequence[Row], floor: float) -> None:
    style = look(rows[0].method)
    reads = [100 * row.reads.value for row in rows]
    heights = [max(row.quality.value, floor) for row in rows]
    for x, row in zip(reads, rows, strict=True):
        if row.quality.value >= floor:
            axes.plot(
                [x, x], [row.quality.low, row.quality.high], color=style["color"], alpha=0.5, lw=1
            )
            ends = [100 * row.reads.low, 100 * row.reads.high]
            axes.plot(ends, [row.quality.value] * 2, color=style["color"], alpha=0.5, lw=1)
    # In the legend, for at the edge they would stand in each other's way.
    below = "".join(f" ↓ {row.quality.value:.0f}" for row in rows if row.quality.value < floor)
    label = rows[0].method + below
    axes.plot(reads, heights, **style, linewidth=1.4, markersize=5, label=label, zorder=3)
