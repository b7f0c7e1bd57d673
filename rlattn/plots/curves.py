"""The learning curve of a run: validation quality beside reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from rlattn.drawing import COLOURS, GREY, NORMAL, SMALL, plain

_NAMES = {"bleu": "BLEU", "chrf": "chrF", "accuracy": "accuracy"}


def learning_curves(
    curve: Sequence[Mapping[str, float]],
    *,
    native: Mapping[str, float],
    kept: int | None = None,
    reads_target: float | None = None,
) -> Figure:
    """Draws validation quality, relative to native, and reads against environment steps.

    Args:
        curve: One entry per validation, with ``env_steps``, ``reads_fraction`` and the measures of
            `native`, as a run's ``results.json`` has under ``valid``.
        native: What native attention reaches on the same sentences or texts: ``bleu`` and ``chrf``,
            or ``accuracy``.
        kept: The ``env_steps`` of the checkpoint that was kept.
        reads_target: The fraction of reads that was asked for.
    """
    figure = Figure(figsize=(8.4, 3.2), dpi=200, layout="constrained")
    quality, reads = figure.subplots(1, 2)
    steps = [point["env_steps"] for point in curve]
    for key, colour in zip(native, COLOURS, strict=False):
        # A host that gets nothing right has no quality to be relative to; its line stays away.
        scale = 100 / native[key] if native[key] else np.nan
        relative = [scale * point[key] for point in curve]
        _draw_line(
            quality, steps, relative, kept, colour, f"{_NAMES[key]} (native {native[key]:.1f})"
        )
    quality.axhline(100, color=GREY, linestyle="--", linewidth=1.2, label="native", zorder=1)
    quality.set_title("validation quality, relative to native", fontsize=NORMAL, loc="left")

    fractions = [100 * point["reads_fraction"] for point in curve]
    _draw_line(reads, steps, fractions, kept, COLOURS[2], "policy")
    if reads_target is not None:
        target = 100 * reads_target
        reads.axhline(target, color=GREY, linestyle=":", linewidth=1.4, label="target", zorder=1)
    reads.set_ylim(0, 105)
    reads.set_title("source positions read per step", fontsize=NORMAL, loc="left")

    for axes in (quality, reads):
        if kept is not None:
            axes.plot([], [], "o", mfc="white", mec=GREY, mew=1.6, label="checkpoint kept")
        axes.set_xlabel("environment steps", fontsize=NORMAL)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_formatter("{x:g}%")
        plain(axes)
        axes.legend(fontsize=SMALL, frameon=False)
    return figure


def _draw_line(
    axes: Axes,
    steps: Sequence[float],
    values: Sequence[float],
    kept: int | None,
    colour: str,
    label: str,
) -> None:
    axes.plot(steps, values, "o-", color=colour, linewidth=1.8, markersize=2.5, label=label)
    for x, y in zip(steps, values, strict=True):
        if x == kept:
            axes.plot(x, y, "o", markersize=7, mfc="white", mec=colour, mew=1.8, zorder=3)
