"""A comparison from its command line to its pictures: crashes, resuming, when tests are read."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console

from rlattn.errors import InputError
from rlattn.experiments.compare import __main__ as program
from rlattn.experiments.compare import execute
from rlattn.experiments.compare.runs import NATIVE
from rlattn.experiments.compare.settings import Config
from rlattn.experiments.lock import alone

PICTURES = ("curves.png", "pareto.png", "strip.png")
BROKEN = ("raises", "killed", "mended")


class Finished(NamedTuple):
    """A comparison that is over."""

    config: Config
    results: dict[str, Any]
    printed: str

    @property
    def out(self) -> Path:
        assert self.config.out is not None
        return self.config.out

    def times(self, name: str) -> dict[str, int]:
        """When each run wrote a file."""
        return {
            path.parent.name: path.stat().st_mtime_ns for path in self.out.glob(f"runs/*/{name}")
        }


def finish(config: Config) -> Finished:
    printed = io.StringIO()
    results = program.run(config, Console(file=printed, width=160))
    return Finished(config, results, printed.getvalue())


@pytest.fixture(scope="module")
def config(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("compare")
    settings = {"ppo": {name: {"rollout": 8} for name in ("quality", "budget")}}
    (folder / "settings.json").write_text(json.dumps(settings))
    return Config(
        **small,
        methods=("topk", "ppo", *BROKEN),
        reads=(0.5,),
        seeds=1,
        steps=64,
        lanes=4,
        valid_sentences=6,
        validations=2,
        test_sentences=8,
        workers=2,
        imports=("tests.experiments.compare.broken",),
        settings=folder / "settings.json",
        out=folder / "out",
    )


@pytest.fixture(scope="module")
def first(config: Config) -> Finished:
    return finish(config)


@pytest.fixture(scope="module")
def before(first: Finished) -> dict[str, dict[str, int]]:
    """When each run of the first start wrote what."""
    return {name: first.times(name) for name in ("result.json", "test.json")}


@pytest.fixture(scope="module")
def second(first: Finished, before: dict[str, dict[str, int]]) -> Finished:
    """The same once more, with another seed, after what broke was mended."""
    (first.out / "mended").touch()
    return finish(replace(first.config, seeds=2))


def test_it_leaves_tables_pictures_and_a_row_for_each_run(first: Finished) -> None:
    assert {path.name for path in first.out.iterdir()} >= {
        *("comparison.json", "results.json", "table.md", "table.csv", "runs", *PICTURES)
    }
    for name in PICTURES:
        assert (first.out / name).read_bytes().startswith(b"\x89PNG")
    written = json.loads((first.out / "results.json").read_text())
    names = {row["run"] for row in written["runs"]}
    learned = {"ppo.quality.0", "ppo.budget-50.0"}
    assert names == {"native", "topk.quality", "topk.budget-50", *BROKEN, *learned}
    assert written["provenance"]
    assert set(written["signatures"]) == {"bleu", "chrf", "ter"}


def test_what_a_learner_spent_is_counted(first: Finished) -> None:
    rows = {row["run"]: row for row in first.results["runs"]}
    learned, fixed = rows["ppo.quality.0"], rows["topk.quality"]
    assert learned["env_steps"] == 64
    assert learned["spent"]["forwards"] >= 64
    assert learned["spent"]["backwards"] == 0
    assert learned["spent"]["seconds"] > 0
    assert fixed["env_steps"] == fixed["spent"]["forwards"] == 0
    for row in (learned, fixed):
        assert 50 < row["memory"]["before_mb"] <= row["memory"]["peak_mb"] < 5000


def test_a_crash_is_reported_and_the_others_go_on(first: Finished) -> None:
    failures = {row["run"]: row["failure"] for row in first.results["runs"] if row["failure"]}
    assert failures == {
        "raises": "RuntimeError: out of luck",
        "killed": "killed by signal 9",
        "mended": "RuntimeError: not mended",
    }
    page = (first.out / "table.md").read_text()
    for name, why in failures.items():
        assert f"- {name}: {why}" in page
        assert why in first.printed


def test_the_tables_hold_every_method_that_was_finished(first: Finished) -> None:
    page = (first.out / "table.md").read_text()
    rows = list(csv.DictReader((first.out / "table.csv").open(encoding="utf-8")))
    assert [(row["method"], row["task"]) for row in rows] == [
        ("native", ""),
        *[(m, t) for m in ("topk", "ppo") for t in ("quality", "budget-50")],
    ]
    for row in rows:
        assert f"| {row['method']}" in page
        assert float(row["bleu_low"]) <= float(row["bleu"]) <= float(row["bleu_high"])
    topk = next(row for row in rows if (row["method"], row["task"]) == ("topk", "budget-50"))
    assert float(topk["reads"]) == pytest.approx(0.5, abs=0.1)
    assert (topk["seeds"], topk["sentences"], topk["crashed"]) == ("1", "8", "0")


def test_test_sentences_are_read_last(before: dict[str, dict[str, int]]) -> None:
    assert max(before["result.json"].values()) <= min(before["test.json"].values())
    assert set(before["result.json"]) == set(before["test.json"])


def test_a_training_has_no_test_sentences(first: Finished) -> None:
    _, corpus = execute._scene(first.config, NATIVE, first.out, {}, test=False)
    assert not corpus.test
    assert corpus.train


def test_a_second_start_does_what_is_missing_and_nothing_else(
    before: dict[str, dict[str, int]], second: Finished
) -> None:
    for name, times in before.items():
        again = second.times(name)
        assert {run: again[run] for run in times} == times
        assert set(again) - set(times) == {
            "mended",
            "ppo.quality.1",
            "ppo.budget-50.1",
        }
    rows = {(row.method, row.task): row.seeds for row in second.results["summary"]}
    assert rows["ppo", "quality"] == 2
    failed = {row["run"] for row in second.results["runs"] if row["failure"]}
    assert failed == {"raises", "killed"}


def test_resuming_needs_the_folder_alone(second: Finished) -> None:
    """What broke before breaks again, and nothing else is done."""
    times = second.times("test.json")
    third = finish(Config(resume=second.out))
    assert second.times("test.json") == times
    assert json.loads((second.out / "config.json").read_text())["resume"] is None
    assert third.results["summary"] == second.results["summary"]
    assert {row["run"] for row in third.results["runs"] if row["failure"]} == {"raises", "killed"}
    with pytest.raises(InputError, match="the run has seeds 2, and 4 was given"):
        finish(Config(resume=second.out, seeds=4))


def test_where_nothing_was_compared_there_is_nothing_to_resume(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="not the folder of a comparison that was begun"):
        finish(Config(resume=tmp_path))


def test_who_stops_it_learns_how_it_goes_on(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_train", stop)
    printed = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        program.run(replace(config, out=tmp_path / "out"), Console(file=printed, width=160))
    assert f"stopped; --resume {tmp_path / 'out'} goes on from here" in printed.getvalue()


def test_methods_are_tested_against_each_other(first: Finished) -> None:
    found = {(pair.task, pair.method, pair.baseline) for pair in first.results["pairs"]}
    assert ("quality", "ppo", "topk") in found
    assert ("budget-50", "ppo", "native") in found
    assert not any(method == baseline for _, method, baseline in found)


@pytest.mark.usefixtures("first")
def test_another_comparison_is_refused_with_what_differs(config: Config) -> None:
    with pytest.raises(InputError, match=r"another comparison \(steps was 64 and is 65\)"):
        finish(replace(config, steps=65))


def test_two_do_not_work_in_one_folder_at_once(first: Finished) -> None:
    with alone(first.out), pytest.raises(InputError, match="another process is at work in it"):
        finish(first.config)


def test_a_folder_that_holds_something_else_is_refused(config: Config, tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    with pytest.raises(InputError, match="already holds files"):
        finish(replace(config, out=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--methods", "pppo"), "did you mean 'ppo'?"),
        (("--reads", "0"), "--reads 0.0: expected fractions above 0, at most 1"),
        (("--seeds", "0"), "--seeds 0: expected at least 1"),
        (("--workers", "0"), "--workers 0: expected at least 1"),
        (("--minutes", "-1"), "--minutes -1.0: expected a number above 0"),
        (("--minutes", "1", "--steps", "5"), "--steps and --minutes"),
        (("--settings", "no/such/file"), "--settings no/such/file"),
        (("--objectives", "noise"), "--objectives noise: say where the noise stands"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["compare", *arguments, "--out", str(out)])
    with pytest.raises(SystemExit) as stopped:
        program.main()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not out.exists()
