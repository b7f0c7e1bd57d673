"""What plots and rendering draw with: attention as a heat map over tokens that people can read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from rlattn.visible import visible

SMALL, NORMAL = 8, 9
"""Sizes of letters, in points."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's colours, which stay apart for colour-blind readers."""

GREY = "0.45"
"""What a line to compare with has."""

CLOSED: dict[str, Any] = {
    "facecolor": "0.9",
    "edgecolor": "0.75",
    "linewidth": 0,
    "hatch": "////",
}
"""How a position that is shut is drawn."""

# Characters that the first font lacks are taken from the next that is installed.
_FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Arial Unicode MS")
_LONGEST_TOKEN = 14
_WORD_STARTS = ("▁", "Ġ")


@cache
def fonts() -> list[str]:
    """The installed fonts that labels are set in, in the order of preference."""
    installed = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in installed]


@contextmanager
def any_glyph() -> Iterator[None]:
    """Draws a character that no installed font has as a box, and is silent about it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def plain(axes: Axes) -> None:
    """Gives axes small numbers, a pale grid, and no frame but the two lines with the numbers."""
    axes.tick_params(labelsize=SMALL)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def literal(figure: Figure) -> Figure:
    """The same figure, whose texts show as they are: names may have dollars, which begin no maths.

    Args:
        figure: To which nothing is added any more.
    """
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        text.set_parse_math(False)
        text.set_text(visible(text.get_text(), keep="\n"))
    return figure


def draw_map(
    axes: Axes,
    attention: npt.NDArray[np.floating],
    source_tokens: Sequence[str],
    target_tokens: Sequence[str],
    strongest: float,
    size: float = SMALL,
) -> AxesImage:
    """Draws a heat map with a row for each target token and a column for each source token.

    Args:
        axes: What to draw on.
        attention: ``[len(target_tokens), len(source_tokens)]``.
        source_tokens: See `readable_tokens`.
        target_tokens: Likewise.
        strongest: The attention that gets the darkest colour.
        size: Of the labels, in points.
    """
    image = axes.imshow(attention, cmap="Blues", vmin=0, vmax=strongest, aspect="auto")
    slanted: dict[str, Any] = {"rotation": 60, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(source_tokens)), readable_tokens(source_tokens), **slanted)
    axes.set_yticks(range(len(target_tokens)), readable_tokens(target_tokens))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    rows, columns = attention.shape
    axes.add_patch(Rectangle((-0.5, -0.5), columns, rows, fill=False, edgecolor="0.8", zorder=3))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontsize=size, fontfamily=fonts())
        label.set_parse_math(False)  # "$5" is money
    return image


def hatch(axes: Axes, closed: npt.NDArray[np.bool_]) -> None:
    """Hatches the positions of a heat map that are shut, ``[rows, columns]``."""
    squares = [
        [(x - 0.5, y - 0.5), (x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (x - 0.5, y + 0.5)]
        for y, x in np.argwhere(closed)
    ]
    axes.add_collection(PolyCollection(squares, **CLOSED), autolim=False)


def readable_tokens(tokens: Sequence[str], longest: int | None = _LONGEST_TOKEN) -> list[str]:
    """Returns tokens for people: words as they are, a dot before the pieces that continue one.

    What would not show, or act, shows as `visible` has it.

    Args:
        tokens: Tokens in which ``▁`` or ``Ġ`` marks the start of a word, or in which nothing does.
        longest: Tokens with more characters are cut to as many; None leaves all whole.
    """
    marked = any(token.startswith(_WORD_STARTS) for token in tokens)
    shown = []
    for token in tokens:
        word = visible(token.lstrip("".join(_WORD_STARTS))) or "␣"
        if marked and not token.startswith(_WORD_STARTS) and word[0].isalnum():
            word = f"·{word}"
        if longest is not None and len(word) > longest:
            word = f"{word[: longest - 1]}…"
        shown.append(word)
    return shown
