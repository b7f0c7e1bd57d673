"""The search for settings: as many trials for each, all kept, and what was stopped goes on."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import FixedTrial
from rich.console import Console

from rlattn.errors import InputError
from rlattn.experiments.compare import __main__ as program
from rlattn.experiments.compare import tuning
from rlattn.experiments.compare.problem import Problem
from rlattn.experiments.compare.problems import CLASSIFICATION, TRANSLATION
from rlattn.experiments.compare.runs import RESULT
from rlattn.experiments.compare.settings import Config, LabelConfig, check
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.compare.tuned import read_settings
from rlattn.experiments.compare.tuning import SETTINGS, Search, tune
from rlattn.experiments.compare.workers import Job, Watch
from rlattn.experiments.outputs import write_json

QUALITY = Task("quality")
SPACES = TRANSLATION.spaces


def searched(task: Task, out: Path) -> Search:
    return Search("ppo", task, out, SPACES["ppo"], "bleu")


def result(score: float) -> dict[str, Any]:
    return {"valid": {"bleu": 100 * score, "reads_fraction": 1.0, "score": score}}


def rows(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "trials.csv").open(encoding="utf-8")))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return check(Config(methods=("ppo",), trials=3, steps=8, out=tmp_path / "out"))


@pytest.fixture
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials are over at once: the first crashes, and others are as good as their rate is small."""

    def work(jobs: Iterable[Job], workers: int, watch: Watch) -> None:
        for job in jobs:
            watch.started(job)
            settings = job.work.args[-1]["ppo"]["quality"]  # type: ignore[attr-defined]
            crashes = job.name.endswith("trial-0")
            if not crashes:
                write_json(job.log.parent / RESULT, result(1 - settings["learning_rate"]))
            watch.ended(job, "gone" if crashes else None)

    monkeypatch.setattr(tuning, "work", work)


def test_the_best_settings_are_those_with_the_best_score(tmp_path: Path) -> None:
    search = searched(QUALITY, tmp_path)
    assert search.best is None
    tried = []
    for score in (0.3, 0.9, 0.5):
        run, settings = search.ask()
        tried.append(settings)
        search.tell(run.name, result(score))
    assert search.best == tried[1]


def test_what_was_stopped_is_kept_and_does_not_count(tmp_path: Path) -> None:
    first = searched(QUALITY, tmp_path)
    first.tell(first.ask()[0].name, result(0.5))
    first.tell(first.ask()[0].name, None)
    first.ask()
    assert first.done == 3
    again = searched(QUALITY, tmp_path)
    assert again.done == 2
    assert len(again.study.trials) == 3
    assert again.ask()[0].trial == 3


def test_searches_of_one_folder_are_apart(tmp_path: Path) -> None:
    searched(QUALITY, tmp_path).ask()
    assert searched(Task("budget", 0.2), tmp_path).done == 0


@pytest.mark.usefixtures("_scripted")
def test_a_crashed_trial_counts_and_a_second_start_adds_none(config: Config) -> None:
    assert config.out is not None
    config.out.mkdir()
    found = tune(config, [QUALITY], Console(file=io.StringIO()))
    assert [row["state"] for row in rows(config.out)] == ["crashed", "complete", "complete"]
    best = max(rows(config.out)[1:], key=lambda row: float(row["score"]))
    assert found == {"ppo": {"quality": json.loads(best["settings"])}}
    assert json.loads((config.out / SETTINGS).read_text()) == found
    assert tune(config, [QUALITY], Console(file=io.StringIO())) == found
    assert len(rows(config.out)) == 3
    tune(replace(config, trials=4), [QUALITY], Console(file=io.StringIO()))
    assert len(rows(config.out)) == 4


def test_what_was_found_for_everybody_is_of_what_is_searched() -> None:
    found = read_settings(Config())
    for learner in SPACES:
        for objective, settings in found[learner].items():
            target = 0.3 if objective == "budget" else None
            task = Task(objective, target)
            assert SPACES[learner].tried(task, FixedTrial(settings)) == settings
    assert set(found) == set(SPACES)
    assert read_settings(Config(tune=True)) == {}, "a search begins with none"


@pytest.mark.parametrize("problem", [TRANSLATION, CLASSIFICATION])
def test_a_search_begins_with_settings_that_it_might_try(problem: Problem) -> None:
    for name, space in problem.spaces.items():
        assert name in problem.methods
        for task in (QUALITY, Task("budget", 0.2)):
            first = space.first(task)
            assert set(space.tried(task, FixedTrial(first))) == set(first)


def test_learners_on_a_classifier_have_settings_of_their_own() -> None:
    assert read_settings(LabelConfig()) == {}


def test_methods_without_settings_are_refused(config: Config) -> None:
    with pytest.raises(InputError, match=r"expected among the --methods some of .*ppo"):
        tune(replace(config, methods=("topk",)), [QUALITY], Console(file=io.StringIO()))


@pytest.mark.slow
def test_a_search_leaves_settings_that_a_comparison_takes(
    small: dict[str, Any], tmp_path: Path
) -> None:
    config = Config(
        **small,
        methods=("ppo",),
        objectives=("quality",),
        steps=64,
        lanes=4,
        valid_sentences=4,
        validations=1,
        seeds=1,
        workers=2,
    )
    search = replace(config, tune=True, trials=2, out=tmp_path / "tune")
    found = program.run(search, Console(file=io.StringIO()))
    assert set(found) == {"ppo"}
    settings = tmp_path / "tune" / SETTINGS
    results = program.run(
        replace(config, settings=settings, out=tmp_path / "out"), Console(file=io.StringIO())
    )
    assert results["asked"]["settings_resolved"] == found
