"""The alignment so far as a picture, of one size whatever the sentence."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from rlattn.drawing import CLOSED, NORMAL, any_glyph, draw_map, fonts, hatch
from rlattn.inference import Alignment

_DPI = 100
_SIDE = 9.6  # inches; 960 pixels, which every video codec takes
_LEFT, _TOP, _RIGHT, _BOTTOM = 1.5, 1.7, 0.8, 0.5  # inches beside the map
_LARGEST = 0.5  # inches: a cell
_STRONGEST = 0.8
"""What attention gets the darkest colour, in every picture the same."""


def picture(alignment: Alignment) -> np.ndarray:
    """A heat map with a row for each token written and a column for each source token.

    Shut positions are hatched, and a frame stands around the last step.

    Args:
        alignment: What to show.

    Returns:
        uint8, ``[960, 960, 3]``.
    """
    steps, source = alignment.attention.shape
    rows = max(steps, 1)
    # Room for as many rows as columns, so that cells keep their size while a sentence is written.
    cell = min(
        _LARGEST,
        (_SIDE - _LEFT - _RIGHT) / source,
        (_SIDE - _TOP - _BOTTOM) / max(rows, source + 2),
    )
    figure = Figure(figsize=(_SIDE, _SIDE), dpi=_DPI)
    width, height = source * cell, rows * cell
    box = np.array([_LEFT, _SIDE - _TOP - height, width, height]) / _SIDE
    axes = figure.add_axes((box[0], box[1], box[2], box[3]))
    attention, opened = np.zeros((rows, source)), np.ones((rows, source), bool)
    attention[:steps], opened[:steps] = alignment.attention, alignment.opened
    target = alignment.target if steps else [""]
    size = float(np.clip(72 * 0.55 * cell, 5, NORMAL + 2))
    draw_map(axes, attention, alignment.source, target, _STRONGEST, size)
    hatch(axes, ~opened)
    if steps:
        last = Rectangle(
            (-0.5, steps - 1.5), source, 1, fill=False, edgecolor="C1", linewidth=1.5, zorder=4
        )
        axes.add_patch(last)
    _title(figure, alignment)
    canvas = FigureCanvasAgg(figure)
    with any_glyph():
        canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # type: ignore[no-untyped-call]


def _title(figure: Figure, alignment: Alignment) -> None:
    steps = len(alignment.target)
    said = f"step {steps}"
    if steps:
        said += f"   reads {alignment.opened[-1].mean():.0%}, {alignment.opened.mean():.0%} so far"
    at = 0.3 / _SIDE, 1 - 0.3 / _SIDE
    figure.text(*at, said, fontsize=NORMAL + 2, fontfamily=fonts(), va="top")
    if not alignment.opened.all():
        figure.legend(
            [Patch(**CLOSED)],
            ["shut"],
            loc="upper right",
            bbox_to_anchor=(1 - 0.2 / _SIDE, 1 - 0.2 / _SIDE),
            borderaxespad=0,
            fontsize=NORMAL + 2,
            frameon=False,
        )
