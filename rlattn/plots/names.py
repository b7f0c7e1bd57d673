"""Names beside points, where they can be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import cos, pi, sin
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from rlattn.drawing import GREY, SMALL, fonts
from rlattn.visible import visible


def _place(angle: float, far: float) -> dict[str, Any]:
    """Where a name stands, seen from its point, and with which of its ends or edges."""
    right, up = round(cos(angle), 6), round(sin(angle), 6)
    return {
        "position": (far * right, far * up),
        "ha": "center" if not right else "left" if right > 0 else "right",
        "va": "center" if not up else "bottom" if up > 0 else "top",
    }


_PLACES = [_place(eighth * pi / 4, far) for far in (6, 14, 24) for eighth in range(8)]
"""Near ones are tried first, and to the right before others."""

_NEAR = 8
"""So many of them are near."""


def name_points(axes: Axes, names: Sequence[str], points: Sequence[tuple[float, float]]) -> None:
    """Writes each name where it covers least of the lines, the points, and the names before it.

    A name that stands further away is joined to its point by a thin line.

    Args:
        axes: With everything else already drawn, lines along the axes only; the limits must not
            change any more.
        names: One for each point.
        points: In data coordinates.
    """
    figure = axes.figure.get_figure(root=True)
    assert figure is not None
    renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
    figure.draw_without_rendering()  # only then is known where points come to stand
    taken = [box for line in axes.lines for box in _boxes(line, figure.dpi)]
    inside = axes.get_window_extent(renderer).padded(-4)
    for name, point in zip(names, points, strict=True):
        label = axes.annotate(
            visible(name),
            point,
            xytext=(0, 0),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": GREY, "shrinkB": 3},
            fontsize=SMALL,
            fontfamily=fonts(),
            parse_math=False,
            zorder=4,
        )
        label.set_in_layout(False)  # or the axes would move away from under the names
        costs, boxes = [], []
        for place in _PLACES:
            label.set(**place)
            label.update_positions(renderer)
            box = Text.get_window_extent(label, renderer)  # of the letters, not of the thin line
            outside = box.width * box.height - _shared(box, inside)
            costs.append(outside + sum(_shared(box, other) for other in taken))
            boxes.append(box)
        best = costs.index(min(costs))
        label.set(**_PLACES[best])
        assert label.arrow_patch is not None
        label.arrow_patch.set_visible(best >= _NEAR)
        taken.append(boxes[best])


def _boxes(line: Line2D, dpi: float) -> Iterator[Bbox]:
    """The room that each stretch of a line takes, or each of its points, in pixels."""
    corners = line.get_transform().transform(line.get_xydata())
    marker = line.get_markersize() if line.get_marker() not in ("None", "", None) else 0.0
    reach = 1 + max(marker, line.get_linewidth()) * dpi / 72 / 2
    for start, end in pairwise([*corners, corners[-1]]):
        yield Bbox([np.minimum(start, end) - reach, np.maximum(start, end) + reach])


def _shared(one: Bbox, other: Bbox) -> float:
    """How many square pixels two boxes have in common."""
    both = Bbox.intersection(one, other)
    return 0.0 if both is None else both.width * both.height
