"""Where several ways of reading look, side by side: native attention and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from rlattn.drawing import CLOSED, NORMAL, SMALL, draw_map, hatch, literal
from rlattn.errors import InputError
from rlattn.inference import Alignment

_CELL = 0.21  # inches: the room a token of 8 points needs


def attention_map(alignments: Mapping[str, Sequence[Alignment]]) -> Figure:
    """Draws heat maps of attention, a row for each sentence and a column for each way of reading.

    Rows of a map are target tokens, columns are source tokens, and positions that were shut are
    hatched. All maps have one scale, and cells of one size; with more than about 25 tokens the
    figure grows wide.

    Args:
        alignments: By the name of who read, such as ``native`` and ``policy``, what
            `rlattn.inference.translate` gives with ``trace=True``: the same sentences in each.

    Raises:
        InputError: If there is no sentence, or they are not the same.
    """
    sentences = side_by_side(alignments)
    width = max(len(row[0].source) for row in sentences)
    heights = [max(len(alignment.target) for alignment in row) for row in sentences]
    figure = Figure(
        figsize=(
            len(alignments) * (_CELL * width + 0.9) + 0.6,
            sum(_CELL * height + 0.9 for height in heights) + 0.3,
        ),
        dpi=150,
        layout="constrained",
    )
    panels = figure.subplots(len(sentences), len(alignments), squeeze=False, height_ratios=heights)
    strongest = max(alignment.attention.max() for row in sentences for alignment in row)
    for row, row_panels, height in zip(sentences, panels, heights, strict=True):
        for name, alignment, axes in zip(alignments, row, row_panels, strict=True):
            image = draw_map(
                axes, alignment.attention, alignment.source, alignment.target, strongest
            )
            hatch(axes, ~alignment.opened)
            reads = "" if alignment.opened.all() else f", reads {alignment.reads_fraction:.0%}"
            axes.set_title(name + reads, fontsize=NORMAL, loc="left")
            # A shorter sentence fills less room: all cells have one size.
            axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    bar = figure.colorbar(image, ax=panels, fraction=0.02, aspect=40, pad=0.01)
    bar.set_label("attention", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    if not all(alignment.opened.all() for row in sentences for alignment in row):
        figure.legend(
            [Patch(**CLOSED)],
            ["shut"],
            loc="outside lower center",
            fontsize=SMALL,
            frameon=False,
        )
    return literal(figure)


def side_by_side(alignments: Mapping[str, Sequence[Alignment]]) -> list[tuple[Alignment, ...]]:
    """Puts together what each way of reading did with the same sentence.

    Raises:
        InputError: If there is no sentence, or they are not the same.
    """
    counts = {name: len(rows) for name, rows in alignments.items()}
    if not counts or 0 in counts.values():
        raise InputError(f"there is nothing to draw: expected alignments by name, not {counts}")
    if len(set(counts.values())) > 1:
        raise InputError(f"each way of reading needs the same sentences, not {counts} of them")
    rows = list(zip(*alignments.values(), strict=True))
    for number, row in enumerate(rows):
        if any(list(alignment.source) != list(row[0].source) for alignment in row):
            raise InputError(
                f"alignment {number} is not of the same source in {' and '.join(alignments)}"
            )
    return rows
