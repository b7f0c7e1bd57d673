"""Where the native attention and a policy look, side by side."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch, Rectangle

_SMALL, _NORMAL = 8, 9  # points
# Characters that the first font lacks are taken from the next that is installed.
_FONTS = ("DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Arial Unicode MS")
_CELL = 0.21  # inches: the room a token of 8 points needs
_LONGEST_TOKEN = 14
_WORD_STARTS = ("▁", "Ġ")
_CLOSED: dict[str, Any] = {
    "facecolor": "0.9",
    "edgecolor": "0.75",
    "linewidth": 0,
    "hatch": "////",
}


@dataclass(frozen=True)
class AttentionExample:
    """One sentence as the native attention and the policy read it.

    Attributes:
        source_tokens: The S source tokens.
        native_tokens: The tokens written with native attention.
        native_attention: ``[len(native_tokens), S]``, each row a distribution.
        policy_tokens: The tokens written under the policy.
        policy_attention: ``[len(policy_tokens), S]``, each row a distribution.
        policy_open: bool ``[len(policy_tokens), S]``, the positions that the policy left open, or
            None for a policy that closes none.
    """

    source_tokens: Sequence[str]
    native_tokens: Sequence[str]
    native_attention: npt.NDArray[np.floating]
    policy_tokens: Sequence[str]
    policy_attention: npt.NDArray[np.floating]
    policy_open: npt.NDArray[np.bool_] | None = None


def draw_attention(path: Path, examples: Sequence[AttentionExample]) -> None:
    """Draws heat maps of the native attention and the policy's side by side, a row per sentence.

    Args:
        path: The picture to write, for example ``attention.png``.
        examples: At least one sentence; with more than about 25 tokens the picture grows wide.
    """
    width = max(len(example.source_tokens) for example in examples)
    heights = [max(len(e.native_tokens), len(e.policy_tokens)) for e in examples]
    figure = Figure(
        figsize=(2 * (_CELL * width + 0.9) + 0.6, sum(_CELL * h + 0.9 for h in heights) + 0.3),
        layout="constrained",
    )
    panels = figure.subplots(len(examples), 2, squeeze=False, height_ratios=heights)
    strongest = max(max(e.native_attention.max(), e.policy_attention.max()) for e in examples)
    for (left, right), example, height in zip(panels, examples, heights, strict=True):
        source = readable_tokens(example.source_tokens)
        left.set_title("native", fontsize=_NORMAL, loc="left")
        _draw_map(left, example.native_attention, source, example.native_tokens, strongest)
        title = "policy"
        image = _draw_map(right, example.policy_attention, source, example.policy_tokens, strongest)
        if example.policy_open is not None:
            _hatch(right, ~example.policy_open)
            title += f", reads {example.policy_open.mean():.0%}"
        right.set_title(title, fontsize=_NORMAL, loc="left")
        for axes in (left, right):  # a shorter sentence fills less room: all cells have one size
            axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    bar = figure.colorbar(image, ax=panels, fraction=0.02, aspect=40, pad=0.01)
    bar.set_label("attention", fontsize=_SMALL)
    bar.ax.tick_params(labelsize=_SMALL)
    bar.outline.set_visible(False)
    if any(example.policy_open is not None for example in examples):
        closed = Patch(**_CLOSED)
        figure.legend(
            [closed],
            ["closed by the policy"],
            loc="outside lower center",
            fontsize=_SMALL,
            frameon=False,
        )
    with warnings.catch_warnings():
        # A character that no installed font has shows as a box; the picture is still right.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, dpi=150)


def _draw_map(
    axes: Axes,
    attention: npt.NDArray[np.floating],
    source: Sequence[str],
    target_tokens: Sequence[str],
    strongest: float,
) -> AxesImage:
    image = axes.imshow(attention, cmap="Blues", vmin=0, vmax=strongest, aspect="auto")
    installed = set(font_manager.get_font_names())
    fonts = [name for name in _FONTS if name in installed]
    axes.set_xticks(range(len(source)), source, rotation=60, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(target_tokens)), readable_tokens(target_tokens))
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)
    rows, columns = attention.shape
    axes.add_patch(Rectangle((-0.5, -0.5), columns, rows, fill=False, edgecolor="0.8", zorder=3))
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        label.set(fontsize=_SMALL, fontfamily=fonts)
        label.set_parse_math(False)  # "$5" is money
    return image


def _hatch(axes: Axes, closed: npt.NDArray[np.bool_]) -> None:
    squares = [
        [(x - 0.5, y - 0.5), (x + 0.5, y - 0.5), (x + 0.5, y + 0.5), (x - 0.5, y + 0.5)]
        for y, x in np.argwhere(closed)
    ]
    axes.add_collection(PolyCollection(squares, **_CLOSED), autolim=False)


def readable_tokens(tokens: Sequence[str]) -> list[str]:
    """Returns tokens for people: words as they are, a dot before the pieces that continue one.

    Args:
        tokens: Tokens in which ``▁`` or ``Ġ`` marks the start of a word, or in which nothing does.
    """
    marked = any(token.startswith(_WORD_STARTS) for token in tokens)
    shown = []
    for token in tokens:
        word = token.lstrip("".join(_WORD_STARTS)) or "␣"
        if marked and token == word and word[0].isalnum():
            word = f"·{word}"
        shown.append(word if len(word) <= _LONGEST_TOKEN else f"{word[: _LONGEST_TOKEN - 1]}…")
    return shown
