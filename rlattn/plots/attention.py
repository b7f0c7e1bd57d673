"""Where the native attention and a policy look, side by side."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rlattn.drawing import CLOSED, NORMAL, SMALL, draw_map, hatch

_CELL = 0.21  # inches: the room a token of 8 points needs


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
        source = example.source_tokens
        left.set_title("native", fontsize=NORMAL, loc="left")
        draw_map(left, example.native_attention, source, example.native_tokens, strongest)
        title = "policy"
        image = draw_map(right, example.policy_attention, source, example.policy_tokens, strongest)
        if example.policy_open is not None:
            hatch(right, ~example.policy_open)
            title += f", reads {example.policy_open.mean():.0%}"
        right.set_title(title, fontsize=NORMAL, loc="left")
        for axes in (left, right):  # a shorter sentence fills less room: all cells have one size
            axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    bar = figure.colorbar(image, ax=panels, fraction=0.02, aspect=40, pad=0.01)
    bar.set_label("attention", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    if any(example.policy_open is not None for example in examples):
        closed = Patch(**CLOSED)
        figure.legend(
            [closed],
            ["closed by the policy"],
            loc="outside lower center",
            fontsize=SMALL,
            frameon=False,
        )
    with warnings.catch_warnings():
        # A character that no installed font has shows as a box; the picture is still right.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(path, dpi=150)
