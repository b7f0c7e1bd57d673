"""One sentence under every method: where each looked while it wrote its own translation."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rlattn.drawing import CLOSED, NORMAL, SMALL, draw_map, hatch
from rlattn.inference import Alignment

_CELL = 0.2  # inches: the room a token of 8 points needs
_COLUMNS = 4


def draw_strip(alignments: Mapping[str, Alignment]) -> Figure:
    """Draws a heat map for each method, with one scale and cells of one size.

    Rows of a map are target tokens, columns are source tokens; positions that were shut are
    hatched.

    Args:
        alignments: By method, of one sentence.
    """
    columns = min(_COLUMNS, len(alignments))
    rows = math.ceil(len(alignments) / columns)
    width = max(len(each.source) for each in alignments.values())
    items = list(alignments.items())
    heights = [
        max(len(each.target) for _, each in items[row * columns : (row + 1) * columns])
        for row in range(rows)
    ]
    figure = Figure(
        figsize=(
            columns * (_CELL * width + 1.0) + 0.7,
            sum(_CELL * height + 1.0 for height in heights) + 0.3,
        ),
        dpi=150,
        layout="constrained",
    )
    grid = figure.subplots(rows, columns, squeeze=False, height_ratios=heights)
    strongest = max(each.attention.max() for each in alignments.values())
    for axes in grid.flat[len(items) :]:
        axes.set_axis_off()
    for place, (name, each) in enumerate(items):
        axes = grid[place // columns, place % columns]
        image = draw_map(axes, each.attention, each.source, each.target, strongest)
        hatch(axes, ~each.opened)
        reads = "" if each.opened.all() else f", reads {each.reads_fraction:.0%}"
        axes.set_title(name + reads, fontsize=NORMAL, loc="left", parse_math=False)
        axes.set(xlim=(-0.5, width - 0.5), ylim=(heights[place // columns] - 0.5, -0.5))
    bar = figure.colorbar(image, ax=grid, fraction=0.02, aspect=40, pad=0.01)
    bar.set_label("attention", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    if not all(each.opened.all() for each in alignments.values()):
        figure.legend(
            [Patch(**CLOSED)], ["shut"], loc="outside lower center", fontsize=SMALL, frameon=False
        )
    return figure
