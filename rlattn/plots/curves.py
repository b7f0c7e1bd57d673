"""The learning curve of a run: validation quality beside reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

# Okabe and Ito's colours, which stay apart for colour-blind readers.
_BLUE, _VERMILION, _GREEN = "#0072B2", "#D55E00", "#009E73"
_GREY = "0.45"
_SMALL, _NORMAL = 8, 9  # points


def draw_curves(
    path: Path,
    curve: Sequence[Mapping[str, float]],
    *,
    native: Mapping[str, float],
    kept: int | None = None,
    reads_target: float | None = None,
) -> None:
    """Draws validation quality, relative to native, and reads against environment steps.

    Args:
        path: The picture to write, for example ``curves.png``.
        curve: One entry per validation, with ``env_steps``, ``bleu``, ``chrf``, ``reads_fraction``.
        native: ``bleu`` and ``chrf`` of the native attention on the same sentences.
        kept: The ``env_steps`` of the checkpoint that was kept.
        reads_target: The fraction of reads that was asked for.
    """
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    quality, reads = figure.subplots(1, 2)
    steps = [point["env_steps"] for point in curve]
    for key, name, colour in (("bleu", "BLEU", _BLUE), ("chrf", "chrF", _VERMILION)):
        # A host that gets nothing right has no quality to be relative to; its line stays away.
        scale = 100 / native[key] if native[key] else np.nan
        relative = [scale * point[key] for point in curve]
        _draw_line(quality, steps, relative, kept, colour, f"{name} (native {native[key]:.1f})")
    quality.axhline(100, color=_GREY, linestyle="--", linewidth=1.2, label="native", zorder=1)
    quality.set_title("validation quality, relative to native", fontsize=_NORMAL, loc="left")

    fractions = [100 * point["reads_fraction"] for point in curve]
    _draw_line(reads, steps, fractions, kept, _GREEN, "policy")
    if reads_target is not None:
        target = 100 * reads_target
        reads.axhline(target, color=_GREY, linestyle=":", linewidth=1.4, label="target", zorder=1)
    reads.set_ylim(0, 105)
    reads.set_title("source positions read per step", fontsize=_NORMAL, loc="left")

    for axes in (quality, reads):
        if kept is not None:
            axes.plot([], [], "o", mfc="white", mec=_GREY, mew=1.6, label="checkpoint kept")
        axes.set_xlabel("environment steps", fontsize=_NORMAL)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_formatter("{x:g}%")
        axes.tick_params(labelsize=_SMALL)
        axes.grid(color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(fontsize=_SMALL, frameon=False)
    figure.savefig(path, dpi=200)


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
