"""The map of attention shows every number, what was shut, and whose it is."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from rlattn.drawing import any_glyph
from rlattn.errors import InputError
from rlattn.inference import Alignment
from rlattn.plots import attention_map
from tests.plots.alignments import alignment, words

# Any warning, such as one about a missing glyph, fails these tests.
pytestmark = pytest.mark.filterwarnings("error")

SOURCE, TARGET = ["▁on", "ly", "</s>"], ["▁nur", "</s>"]
NATIVE, POLICY = alignment(SOURCE, TARGET, share=1.0), alignment(SOURCE, TARGET, seed=1)


def maps(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.images and axes.get_title(loc="left")]


def shut(axes: Axes) -> set[tuple[int, int]]:
    """Row and column of each cell that is hatched."""
    (cells,) = [found for found in axes.collections if isinstance(found, PolyCollection)]
    middles = [path.vertices[:4].mean(0) for path in cells.get_paths()]
    return {(round(y), round(x)) for x, y in middles}


def colour(figure: Figure, axes: Axes, row: int, column: int) -> np.ndarray:
    """The colour in the middle of a cell, as it is drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    x, y = axes.transData.transform((column, row))
    pixels = np.asarray(canvas.buffer_rgba())
    return pixels[round(pixels.shape[0] - y), round(x), :3].astype(int)


def test_native_stands_beside_steered_each_with_its_numbers() -> None:
    figure = attention_map({"native": [NATIVE], "policy": [POLICY]})
    for axes, shown in zip(maps(figure), (NATIVE, POLICY), strict=True):
        assert np.array_equal(axes.images[0].get_array(), shown.attention)
        assert [label.get_text() for label in axes.get_xticklabels()] == ["on", "·ly", "</s>"]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["nur", "</s>"]
        assert shut(axes) == set(map(tuple, np.argwhere(~shown.opened).tolist()))


def test_titles_say_who_reads_and_how_much() -> None:
    figure = attention_map({"native": [NATIVE], "$policy$": [POLICY]})
    titles = [axes.get_title(loc="left") for axes in maps(figure)]
    assert titles == ["native", f"$policy$, reads {POLICY.opened.mean():.0%}"]


def test_more_attention_is_darker_on_one_scale() -> None:
    even = Alignment(["a", "b"], ["c"], np.array([[0.5, 0.5]]), np.ones((1, 2), bool))
    sharp = Alignment(["a", "b"], ["c"], np.array([[0.9, 0.1]]), np.ones((1, 2), bool))
    figure = attention_map({"even": [even], "sharp": [sharp]})
    left, right = maps(figure)
    light = [
        colour(figure, axes, 0, column).sum()
        for axes, column in ((right, 0), (left, 0), (left, 1), (right, 1))
    ]
    assert light[0] < light[1] == light[2] < light[3]


def test_only_what_can_be_seen_is_explained() -> None:
    assert not attention_map({"native": [NATIVE]}).legends
    (legend,) = attention_map({"policy": [POLICY]}).legends
    assert [text.get_text() for text in legend.get_texts()] == ["shut"]


def test_cells_of_all_sentences_have_one_size() -> None:
    rows = [alignment(words(5), words(9)), alignment(words(12), words(3))]
    figure = attention_map({"policy": rows})
    figure.draw_without_rendering()
    sizes = [
        axes.transData.transform((1, 1)) - axes.transData.transform((0, 0)) for axes in maps(figure)
    ]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


@pytest.mark.parametrize(
    "tokens",
    [
        pytest.param(["▁今日は", "▁月曜日", "。"], id="a script without a font"),
        pytest.param(["▁الاثنين", "▁يناير"], id="right to left"),
        pytest.param(["$5", "$x^", r"$\frac$"], id="what could be taken for mathematics"),
        pytest.param(["", " ", "\u202f", "_{"], id="nothing to see"),
    ],
)
def test_any_text_can_be_a_token(tokens: list[str]) -> None:
    figure = attention_map({"policy": [alignment(tokens, tokens)]})
    with any_glyph():
        figure.savefig(picture := BytesIO())
    assert picture.getvalue()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing to draw"),
        ({"policy": []}, "nothing to draw"),
        ({"native": [NATIVE], "policy": [POLICY, POLICY]}, "the same sentences"),
        ({"native": [NATIVE], "policy": [alignment(["a"], ["b"])]}, "0 is not of the same source"),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(
    given: dict[str, list[Alignment]], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        attention_map(given)
