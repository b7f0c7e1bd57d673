"""A comparison on a classifier from its command line to its pictures."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from rlattn.experiments.compare import __main__ as program
from rlattn.experiments.compare.settings import LabelConfig


@pytest.fixture(scope="module")
def config(moods: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> LabelConfig:
    return LabelConfig(
        **moods,
        methods=("random", "ppo", "gradient"),
        objectives=("budget",),
        reads=(0.5,),
        seeds=1,
        steps=64,
        lanes=4,
        valid_sentences=10,
        validations=1,
        test_sentences=20,
        workers=1,
        out=tmp_path_factory.mktemp("labels") / "out",
    )


@pytest.fixture(scope="module")
def results(config: LabelConfig) -> dict[str, Any]:
    return program.run(config, Console(file=io.StringIO(), width=120))


def test_it_leaves_tables_pictures_and_a_row_for_each_run(
    config: LabelConfig, results: dict[str, Any]
) -> None:
    assert config.out is not None
    assert {path.name for path in config.out.iterdir()} >= {
        *("comparison.json", "results.json", "table.md", "table.csv", "runs"),
        *("curves.png", "pareto.png"),
    }
    runs = {row["run"]: row for row in results["runs"]}
    learned = {"ppo.budget-50.0", "gradient.budget-50.0"}
    assert set(runs) == {"native", "random.budget-50.0", *learned}
    for name, row in runs.items():
        assert row["failure"] is None
        assert row["test"]["sentences"] == 20
        assert row["test"]["reads_fraction"] <= 1
        assert bool(row["test"]["sufficiency"]) == (name != "native")
    assert runs["gradient.budget-50.0"]["spent"]["backwards"] > 0
    assert runs["ppo.budget-50.0"]["spent"]["backwards"] == 0
    assert runs["native"]["test"]["accuracy"] > 90
    rows = list(csv.DictReader((config.out / "table.csv").open(encoding="utf-8")))
    assert [row["method"] for row in rows] == ["native", "random", "gradient", "ppo"]


def test_a_second_start_has_nothing_to_do_but_what_is_new(
    config: LabelConfig, results: dict[str, Any]
) -> None:
    assert config.out is not None
    before = {path: path.stat().st_mtime_ns for path in config.out.glob("runs/*/test.json")}
    again = program.run(replace(config, methods=("random", "first")), Console(file=io.StringIO()))
    assert {row["run"] for row in again["runs"]} == {
        *("native", "random.budget-50.0", "first.budget-50")
    }
    assert {path: path.stat().st_mtime_ns for path in before} == before
    identity = json.loads((config.out / "comparison.json").read_text(encoding="utf-8"))
    assert identity["allocations"] == 4
    assert identity["max_target"] is None
