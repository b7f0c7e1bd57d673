"""The picture of quality against reads, and what would flatten it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlattn.experiments.compare.front import draw_front
from rlattn.experiments.compare.methods import METHODS
from rlattn.experiments.compare.rows import gather
from rlattn.experiments.compare.runs import Run
from rlattn.experiments.compare.summary import TranslationRow, summarise
from rlattn.experiments.compare.tasks import Task
from tests.experiments.compare.made import leave, references, written


def rows(out: Path, *wrong: tuple[str, float, float]) -> list[TranslationRow]:
    """Of native attention, and of methods that read less and write so many words wrong."""
    runs = [leave(Run("native"), out, written(0.0, 1))]
    for method, share, reads in wrong:
        run = Run(method, Task("budget", reads), 0)
        runs.append(leave(run, out, written(share, 1), reads))
    return summarise(gather(runs, out, METHODS), references())


def test_where_all_is_read_there_is_no_front(tmp_path: Path) -> None:
    assert draw_front(rows(tmp_path), "BLEU") is None


def test_what_keeps_little_stands_at_the_edge_and_the_legend_tells(tmp_path: Path) -> None:
    found = rows(tmp_path, ("ppo", 0.02, 0.3), ("shuffled", 0.8, 0.3), ("shuffled", 0.9, 0.2))
    figure = draw_front(found, "BLEU")
    assert figure is not None
    (axes,), (legend,) = figure.axes, figure.legends
    low = [row.quality.value for row in found if row.method == "shuffled"]
    told = f"shuffled ↓ {low[1]:.0f} ↓ {low[0]:.0f}"
    assert [text.get_text() for text in legend.texts] == ["Pareto front", "native", "ppo", told]
    (line,) = (line for line in axes.lines if line.get_label() == told)
    assert list(line.get_ydata()) == pytest.approx([50.0, 50.0])
    assert axes.get_ylim()[0] < 50.0
