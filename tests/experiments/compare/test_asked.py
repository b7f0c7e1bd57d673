"""Labelled text is for a classifier, and whoever says what is meant gets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rlattn.experiments.compare.asked import asked_for
from rlattn.experiments.compare.settings import Config, LabelConfig


@pytest.mark.parametrize(
    "line",
    [
        "--corpus kinds:en --seeds 2",
        "--seeds 2 --corpus=csv:reviews.csv",
        "--train reviews.tsv --host minilm",
        "--kind classification --corpus tsv:reviews.tsv",
    ],
)
def test_labelled_text_is_for_a_classifier(line: str) -> None:
    assert asked_for(line.split()) is LabelConfig


@pytest.mark.parametrize(
    "line",
    ["", "--quick --help", "--corpus locale:en-de", "--train-src a --train-tgt b", "--kind"],
)
def test_all_else_is_for_a_translator(line: str) -> None:
    assert asked_for(line.split()) is Config


@pytest.mark.parametrize(("kind", "expected"), [("classification", LabelConfig), (None, Config)])
def test_the_folder_of_a_comparison_says_it(
    kind: str | None, expected: type, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"kind": kind}))
    assert asked_for(["--resume", str(tmp_path)]) is expected
    assert asked_for(["--resume", str(tmp_path / "none")]) is Config


def test_what_is_said_counts() -> None:
    assert asked_for(["--kind", "translation", "--corpus", "csv:pairs.csv"]) is Config
