"""Quality against reads: every policy where it belongs, and the front of those not beaten."""

from __future__ import annotations

from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from rlattn.errors import InputError
from rlattn.plots import OperatingPoint, pareto_front, quality_against_reads

pytestmark = pytest.mark.filterwarnings("error")

POINTS = [
    OperatingPoint("gate", 0.335, 37.4, (0.33, 0.34), (35.8, 38.9)),
    OperatingPoint("top k", 0.336, 36.0, None, (34.4, 37.6)),
    OperatingPoint("position", 0.08, 30.1),
    OperatingPoint("window", 0.35, 37.0),
    OperatingPoint("per-layer:gate", 0.6, 38.2),
]
NATIVE = OperatingPoint("native", 1.0, 38.4, None, (36.7, 39.9))


def beats(one: OperatingPoint, other: OperatingPoint) -> bool:
    return (
        one.reads_fraction <= other.reads_fraction
        and one.quality >= other.quality
        and (one.reads_fraction, one.quality) != (other.reads_fraction, other.quality)
    )


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_holds_every_point_that_no_other_beats(numbers: list[tuple[int, int]]) -> None:
    points = [OperatingPoint(str(i), reads / 5, y) for i, (reads, y) in enumerate(numbers)]
    front = pareto_front(points)
    expected = [point for point in points if not any(beats(other, point) for other in points)]
    assert sorted(point.name for point in front) == sorted(point.name for point in expected)
    assert [point.reads_fraction for point in front] == sorted(p.reads_fraction for p in front)


def names(figure: Figure) -> dict[str, Text]:
    return {text.get_text(): text for text in figure.axes[0].texts}


def test_every_point_stands_at_its_numbers_and_beaten_ones_are_hollow() -> None:
    axes = quality_against_reads(POINTS).axes[0]
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    front = {point.name for point in pareto_front(POINTS)}
    assert front == {"position", "gate", "per-layer:gate"}
    for dot, point in zip(dots, POINTS, strict=True):
        assert dot.get_xdata() == pytest.approx([100 * point.reads_fraction])
        assert dot.get_ydata() == pytest.approx([point.quality])
        assert (dot.get_markerfacecolor() != "white") == (point.name in front)


def test_the_front_is_a_staircase() -> None:
    axes = quality_against_reads(POINTS).axes[0]
    (line,) = [line for line in axes.lines if line.get_label() == "Pareto front"]
    corners = [(8, 30.1), (33.5, 30.1), (33.5, 37.4), (60, 37.4), (60, 38.2)]
    assert np.asarray(line.get_xydata()) == pytest.approx(np.array(corners))


def test_native_is_a_line_with_a_band() -> None:
    axes = quality_against_reads(POINTS, native=NATIVE, quality="chrF").axes[0]
    (line,) = [line for line in axes.lines if line.get_label() == "native"]
    assert list(line.get_ydata()) == [38.4, 38.4]
    (band,) = axes.patches
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((36.7, 39.9))
    assert axes.get_title(loc="left") == "chrF"


def test_intervals_are_drawn_where_they_are_given() -> None:
    axes = quality_against_reads(POINTS[:2]).axes[0]
    spans = [np.asarray(line.get_xydata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert any(span == pytest.approx(np.array([[33, 37.4], [34, 37.4]])) for span in spans)
    assert any(span == pytest.approx(np.array([[33.6, 34.4], [33.6, 37.6]])) for span in spans)


def test_names_cover_neither_each_other_nor_points_and_stay_inside() -> None:
    figure = quality_against_reads(POINTS, native=NATIVE)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes, renderer = figure.axes[0], canvas.get_renderer()
    assert set(names(figure)) == {point.name for point in POINTS}
    boxes = [Text.get_window_extent(text, renderer) for text in names(figure).values()]
    for one, other in combinations(boxes, 2):
        assert not one.overlaps(other)
    inside = axes.get_window_extent(renderer)
    for box in boxes:
        assert inside.x0 <= box.x0 < box.x1 <= inside.x1
        assert inside.y0 <= box.y0 < box.y1 <= inside.y1
        for point in POINTS:
            assert not box.contains(
                *axes.transData.transform((100 * point.reads_fraction, point.quality))
            )


def test_any_text_can_be_a_name() -> None:
    points = [OperatingPoint(name, 0.5, 10.0 + i) for i, name in enumerate(["$x^2$", "_a", ""])]
    figure = quality_against_reads(points, native=OperatingPoint("$n$", 1.0, 12.0))
    figure.savefig(BytesIO())


def test_no_point_is_refused() -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        quality_against_reads([])
