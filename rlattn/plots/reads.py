"""How much of the source is read while sentences are being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from rlattn.drawing import COLOURS, NORMAL, SMALL, literal, plain
from rlattn.errors import InputError
from rlattn.inference import Alignment


def reads_over_time(alignments: Mapping[str, Sequence[Alignment]]) -> Figure:
    """Draws reads, open over all source positions, against the target token that is written.

    A bold line is the mean over the sentences that have such a token, a pale line one sentence.
    Late steps belong to long sentences alone: how many those are stands below.

    Args:
        alignments: By the name of who read, what `rlattn.inference.translate` gives with
            ``trace=True``; sentences may differ.

    Raises:
        InputError: If there is no sentence.
    """
    if not alignments or not all(alignments.values()):
        raise InputError("there is nothing to draw: expected at least one alignment for each name")
    several = any(len(rows) > 1 for rows in alignments.values())
    figure = Figure(figsize=(5.6, 3.9 if several else 2.9), dpi=150, layout="constrained")
    if several:
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
        below.set_title("sentences that have such a token", fontsize=NORMAL, loc="left")
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    else:
        axes = below = figure.subplots()
    for number, (name, rows) in enumerate(alignments.items()):
        colour = COLOURS[number % len(COLOURS)]
        reads = np.full((len(rows), max(len(row.target) for row in rows)), np.nan)
        for line, row in zip(reads, rows, strict=True):
            line[: len(row.target)] = row.reads
        steps = np.arange(1, reads.shape[1] + 1)
        if len(rows) > 1:
            pale = max(0.08, min(0.5, 6 / len(rows)))
            axes.plot(steps, reads.T, color=colour, linewidth=0.6, alpha=pale)
            left = np.count_nonzero(~np.isnan(reads), axis=0)
            below.plot(steps, left, color=colour, linewidth=1.4, drawstyle="steps-mid")
        mean = np.nanmean(reads, axis=0)
        axes.plot(steps, mean, "o-", color=colour, linewidth=1.8, markersize=2.5, label=name)
    axes.set_ylim(0, 1.05)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_title("source positions read", fontsize=NORMAL, loc="left")
    below.set_xlabel("target token", fontsize=NORMAL)
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    if several:
        below.set_ylim(bottom=0)
        plain(below)
    plain(axes)
    axes.legend(fontsize=SMALL, frameon=False)
    return literal(figure)
