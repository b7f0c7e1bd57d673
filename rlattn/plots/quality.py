"""What quality several policies keep for what they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from rlattn.drawing import COLOURS, GREY, NORMAL, SMALL, literal, plain
from rlattn.errors import InputError
from rlattn.plots.names import name_points


@dataclass(frozen=True)
class OperatingPoint:
    """How well one policy translates, and for how many reads.

    Attributes:
        name: What stands beside it.
        reads_fraction: Open over valid positions, 0 to 1.
        quality: BLEU, or whatever is compared.
        reads_interval: The ends of a confidence interval of `reads_fraction`.
        quality_interval: Likewise of `quality`.
    """

    name: str
    reads_fraction: float
    quality: float
    reads_interval: Sequence[float] | None = None
    quality_interval: Sequence[float] | None = None

    @property
    def spread(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The intervals of reads and quality; without one, the number twice."""
        reads_low, reads_high = self.reads_interval or (self.reads_fraction, self.reads_fraction)
        low, high = self.quality_interval or (self.quality, self.quality)
        return (reads_low, reads_high), (low, high)


def pareto_front(points: Sequence[OperatingPoint]) -> list[OperatingPoint]:
    """The points that no other beats, from the fewest reads to the most.

    A point beats another if it has no more reads and no less quality, and is not the same in both.
    """
    front: list[OperatingPoint] = []
    for point in sorted(points, key=lambda point: (point.reads_fraction, -point.quality)):
        both = point.reads_fraction, point.quality
        last = (front[-1].reads_fraction, front[-1].quality) if front else None
        if last is None or both == last or point.quality > last[1]:
            front.append(point)
    return front


def quality_against_reads(
    points: Sequence[OperatingPoint],
    *,
    native: OperatingPoint | None = None,
    quality: str = "BLEU",
) -> Figure:
    """Draws quality against reads, a point for each policy, and their Pareto front.

    The front is a staircase: between two policies, what can be had is the one that reads less.
    Filled points are on it, others are beaten.

    Args:
        points: The policies.
        native: What the host reaches by itself, drawn as a line, with a band for its interval.
        quality: What is measured, for the axis.

    Raises:
        InputError: If there are no points.
    """
    if not points:
        raise InputError("there is nothing to draw: expected at least one operating point")
    figure = Figure(figsize=(5.6, 3.8), dpi=150, layout="constrained")
    axes = figure.subplots()
    blue = COLOURS[0]
    front = pareto_front(points)
    axes.plot(
        np.repeat([100 * point.reads_fraction for point in front], 2)[1:],
        np.repeat([point.quality for point in front], 2)[:-1],
        color=blue,
        linewidth=1.4,
        label="Pareto front",
        zorder=2,
    )
    for point in points:
        reads, heights = point.spread
        x, y = 100 * point.reads_fraction, point.quality
        axes.plot(100 * np.array(reads), [y, y], color=blue, linewidth=1, alpha=0.5)
        axes.plot([x, x], heights, color=blue, linewidth=1, alpha=0.5)
        axes.plot(
            x,
            y,
            "o",
            markersize=5,
            mec=blue,
            mew=1.4,
            mfc=blue if point in front else "white",
            zorder=3,
        )
    if native is not None:
        _, (low, high) = native.spread
        if low < high:
            axes.axhspan(low, high, color="0.93", linewidth=0, zorder=0)
        axes.axhline(
            native.quality, color=GREY, linestyle="--", linewidth=1.2, label=native.name, zorder=1
        )
    axes.set_xlim(0, 105)
    axes.margins(y=0.15)
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel("source positions read", fontsize=NORMAL)
    axes.set_title(quality, fontsize=NORMAL, loc="left")
    plain(axes)
    figure.legend(loc="outside lower center", ncols=2, fontsize=SMALL, frameon=False)
    literal(figure)
    name_points(
        axes,
        [point.name for point in points],
        [(100 * point.reads_fraction, point.quality) for point in points],
    )
    return figure
