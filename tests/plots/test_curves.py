"""The learning curve shows the numbers of each validation."""

from __future__ import annotations

import sys
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes

from rlattn.plots import learning_curves

pytestmark = pytest.mark.filterwarnings("error")

CURVE = [
    {"env_steps": 0, "bleu": 60.0, "chrf": 75.0, "reads_fraction": 0.8},
    {"env_steps": 50_000, "bleu": 95.0, "chrf": 97.0, "reads_fraction": 0.3},
    {"env_steps": 100_000, "bleu": 96.0, "chrf": 98.0, "reads_fraction": 0.2},
]
NATIVE = {"bleu": 97.7, "chrf": 98.9}
STEPS = [0, 50_000, 100_000]


def line(axes: Axes, label: str) -> np.ndarray:
    """The points of the line with a label, ``[points, 2]``."""
    (found,) = [line for line in axes.lines if str(line.get_label()).startswith(label)]
    return np.asarray(found.get_xydata())


def test_quality_is_relative_to_native_and_reads_are_beside_it() -> None:
    quality, reads = learning_curves(CURVE, native=NATIVE).axes
    for name, label in (("bleu", "BLEU"), ("chrf", "chrF")):
        expected = [100 * point[name] / NATIVE[name] for point in CURVE]
        assert line(quality, label) == pytest.approx(np.column_stack([STEPS, expected]))
    assert line(reads, "policy") == pytest.approx(np.column_stack([STEPS, [80, 30, 20]]))
    assert reads.get_ylim()[0] == 0


def test_the_checkpoint_that_was_kept_is_marked_and_the_target_is_a_line() -> None:
    quality, reads = learning_curves(CURVE, native=NATIVE, kept=50_000, reads_target=0.25).axes
    assert line(reads, "target")[:, 1].tolist() == [25, 25]
    for axes in (quality, reads):
        rings = [mark for mark in axes.lines if mark.get_markersize() == 7]
        assert {mark.get_xdata()[0] for mark in rings} == {50_000}
        labels = [text.get_text() for text in axes.get_legend().get_texts()]
        assert "checkpoint kept" in labels


def test_one_validation_is_a_curve() -> None:
    figure = learning_curves(CURVE[:1], native=NATIVE, kept=0)
    assert len(line(figure.axes[1], "policy")) == 1
    figure.savefig(BytesIO())


def test_a_host_that_gets_nothing_right_has_a_curve_of_reads() -> None:
    figure = learning_curves(CURVE, native={"bleu": 0.0, "chrf": 0.0})
    assert np.isnan(line(figure.axes[0], "BLEU")[:, 1]).all()
    assert line(figure.axes[1], "policy")[:, 1] == pytest.approx([80, 30, 20])
    figure.savefig(BytesIO())


def test_drawing_leaves_matplotlib_as_it_was() -> None:
    settings = dict(mpl.rcParams)
    pyplot_was_loaded = "matplotlib.pyplot" in sys.modules
    learning_curves(CURVE, native=NATIVE).savefig(BytesIO())
    assert dict(mpl.rcParams) == settings
    assert ("matplotlib.pyplot" in sys.modules) == pyplot_was_loaded
