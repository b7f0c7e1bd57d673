from __future__ import annotations

import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.image import imread

from rlattn.experiments.figures import draw_curves

pytestmark = pytest.mark.filterwarnings("error")

CURVE = [
    {"env_steps": 0, "bleu": 60.0, "chrf": 75.0, "reads_fraction": 0.8},
    {"env_steps": 50_000, "bleu": 95.0, "chrf": 97.0, "reads_fraction": 0.3},
    {"env_steps": 100_000, "bleu": 96.0, "chrf": 98.0, "reads_fraction": 0.2},
]
NATIVE = {"bleu": 97.7, "chrf": 98.9}


def is_picture(path: Path) -> bool:
    """Whether the file is a picture on which something is drawn."""
    pixels = imread(path)
    return pixels.shape[0] > 100 and pixels.shape[1] > 100 and pixels.std() > 0.01


def test_the_curve_is_drawn_with_or_without_a_kept_checkpoint_and_a_target(tmp_path: Path) -> None:
    full, bare = tmp_path / "full.png", tmp_path / "bare.png"
    draw_curves(full, CURVE, native=NATIVE, kept=50_000, reads_target=0.2)
    draw_curves(bare, CURVE, native=NATIVE)
    assert is_picture(full)
    assert is_picture(bare)
    assert full.read_bytes() != bare.read_bytes()


def test_one_validation_is_a_curve(tmp_path: Path) -> None:
    draw_curves(tmp_path / "curves.png", CURVE[:1], native=NATIVE, kept=0)
    assert is_picture(tmp_path / "curves.png")


def test_a_host_that_gets_nothing_right_has_a_curve_of_reads(tmp_path: Path) -> None:
    draw_curves(tmp_path / "curves.png", CURVE, native={"bleu": 0.0, "chrf": 0.0})
    assert is_picture(tmp_path / "curves.png")


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    settings = dict(mpl.rcParams)
    pyplot_was_loaded = "matplotlib.pyplot" in sys.modules
    draw_curves(tmp_path / "curves.png", CURVE, native=NATIVE)
    assert dict(mpl.rcParams) == settings
    assert ("matplotlib.pyplot" in sys.modules) == pyplot_was_loaded
