"""The picture: speed and memory against source length, batch and budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, NullLocator, PercentFormatter

from rlattn.drawing import COLOURS, NORMAL, SMALL
from rlattn.experiments.budget.points import CONTESTANTS
from rlattn.experiments.budget.writing import PLAIN
from rlattn.experiments.outputs import save_figure

_COLOURS = dict(zip(CONTESTANTS, ("#000000", *COLOURS), strict=False))
_MARKS = dict(zip(CONTESTANTS, "xo^s", strict=True))
_LABELS = {
    "source": "source tokens",
    "batch": "sources decoded together",
    "budget": "positions read at each step",
}

Sweep = Mapping[str, Sequence[tuple[float, Mapping[str, Any]]]]
"""By axis: the places on it, and what `measure` found there."""


def draw(path: Path, sweep: Sweep, rest: Mapping[str, str]) -> None:
    """Draws what was measured.

    Args:
        path: Where to.
        sweep: What was measured.
        rest: What was held fixed along each axis.
    """
    figure = Figure(figsize=(3.4 * len(sweep), 6.4), layout="constrained")
    grid = figure.subplots(2, len(sweep), squeeze=False)
    for column, (axis, places) in enumerate(sweep.items()):
        _lines(grid[0, column], axis, places, "over_plain")
        _lines(grid[1, column], axis, places, "peak_mb")
        grid[0, column].set_title(rest[axis], fontsize=NORMAL)
        grid[1, column].set_xlabel(_LABELS[axis])
    grid[0, 0].set_ylabel("tokens/s, times plain generate()")
    grid[1, 0].set_ylabel("peak memory of the process, MB")
    grid[0, 0].legend(fontsize=SMALL, loc="upper left")
    save_figure(path, figure, dpi=120)


def _lines(
    axes: Axes, axis: str, places: Sequence[tuple[float, Mapping[str, Any]]], figure: str
) -> None:
    at = [place for place, _ in places]
    for name in CONTESTANTS:
        style: dict[str, Any] = {
            "color": _COLOURS[name],
            "marker": _MARKS[name],
            "markersize": 4,
            "lw": 1.2,
        }
        found = [measured[name] for _, measured in places]
        if figure == "over_plain":
            middle = [each[figure].median for each in found]
            axes.fill_between(
                at,
                [each[figure].low for each in found],
                [each[figure].high for each in found],
                color=_COLOURS[name],
                alpha=0.15,
                lw=0,
            )
        else:
            middle = [each[figure] for each in found]
        axes.plot(at, middle, label="plain" if name == PLAIN else name, **style)
    axes.set_xscale("log")
    axes.set_xticks(at)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        PercentFormatter(1.0, decimals=0) if axis == "budget" else EngFormatter(sep="")
    )
    if axis != "budget":
        axes.set_xticklabels([f"{int(place)}" for place in at])
    axes.set_ylim(bottom=0.0)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=SMALL)
