"""Reads over time are the numbers of the alignments, and their mean."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rlattn.errors import InputError
from rlattn.plots import reads_over_time
from tests.plots.alignments import alignment, words

pytestmark = pytest.mark.filterwarnings("error")

LONG, SHORT = alignment(words(8), words(6)), alignment(words(5), words(4), seed=1)


def named(figure: Figure, name: str) -> Line2D:
    (found,) = [line for line in figure.axes[0].lines if line.get_label() == name]
    return found


def test_one_sentence_is_a_line_from_the_first_token_to_the_last() -> None:
    figure = reads_over_time({"policy": [LONG]})
    line = named(figure, "policy")
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 6]
    assert line.get_ydata() == pytest.approx(LONG.opened.mean(1))
    assert len(figure.axes) == 1


def test_of_several_sentences_the_mean_goes_over_those_that_are_still_written() -> None:
    figure = reads_over_time({"policy": [LONG, SHORT]})
    mean = named(figure, "policy").get_ydata()
    assert mean[:4] == pytest.approx((LONG.reads[:4] + SHORT.reads) / 2)
    assert mean[4:] == pytest.approx(LONG.reads[4:])
    (left,) = figure.axes[1].lines
    assert left.get_ydata().tolist() == [2, 2, 2, 2, 1, 1]


def test_each_way_of_reading_has_a_colour_and_a_name() -> None:
    figure = reads_over_time({"$a$": [LONG], "b": [LONG, SHORT], "c": [SHORT]})
    lines = [named(figure, name) for name in ("$a$", "b", "c")]
    assert len({line.get_color() for line in lines}) == 3
    figure.savefig(BytesIO())


def test_the_axis_begins_at_nothing_and_ends_at_everything() -> None:
    low, high = reads_over_time({"policy": [LONG]}).axes[0].get_ylim()
    assert low == 0
    assert 1 <= high <= 1.1
    assert np.all(named(reads_over_time({"policy": [LONG]}), "policy").get_ydata() <= 1)


@pytest.mark.parametrize("given", [{}, {"policy": []}])
def test_nothing_is_refused(given: dict[str, list]) -> None:
    with pytest.raises(InputError, match="nothing to draw"):
        reads_over_time(given)
