"""The program from its command line to its picture, and how it refuses bad input."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rlattn.experiments.budget import __main__ as program
from rlattn.experiments.budget import points, settings
from rlattn.experiments.budget.points import CONTESTANTS
from rlattn.experiments.budget.settings import Config
from rlattn.experiments.budget.writing import Task, fit
from rlattn.hosts import Seq2SeqHost
from tests.experiments.small import LIMITS, write_task
from tests.hosts.tiny import tiny_host
from tests.inference.policies import strong

TINY: dict[str, Any] = {
    "size": "tiny",
    "source_length": 130,
    "batch": 2,
    "tokens": 4,
    "rounds": 2,
}


def run(config: Config) -> tuple[dict[str, Any], str]:
    """The results, and what was printed."""
    printed = io.StringIO()
    console = Console(file=printed, width=120)
    return program.run(config, console, Console(file=io.StringIO())), printed.getvalue()


@pytest.fixture(scope="module")
def host() -> Seq2SeqHost:
    return tiny_host()


@pytest.fixture
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peak memory is measured in processes of their own, which take seconds each."""
    monkeypatch.setattr(points, "peak", lambda task, contestant, fitted: 1.0)


def test_memory_is_that_of_a_process_of_its_own() -> None:
    task = Task(source=130, batch=2, budget=0.1, tokens=4, size="tiny", seed=0)
    assert 50 < points.peak(task, "gate", fit(task, "gate")) < 3000


@pytest.mark.usefixtures("no_processes")
def test_a_sweep_leaves_numbers_and_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SOURCES", (130, 1024))
    monkeypatch.setattr(settings, "BATCHES", (1, 2))
    monkeypatch.setattr(settings, "BUDGETS", (0.1, 0.5))
    results, printed = run(Config(**TINY, sweep=True, out=tmp_path / "out"))
    assert {name: len(places) for name, places in results["sweep"].items()} == {
        "source": 2,
        "batch": 2,
        "budget": 2,
    }
    for name in CONTESTANTS:
        assert name in printed
    written = json.loads((tmp_path / "out" / "results.json").read_text())
    ratio = written["sweep"]["batch"][0][1]["gate"]["over_plain"]
    assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
    assert written["provenance"]
    assert (tmp_path / "out" / "budget.png").read_bytes().startswith(b"\x89PNG")


def test_a_trained_policy_is_measured_on_text(host: Seq2SeqHost, tmp_path: Path) -> None:
    task = write_task(host, tmp_path)
    strong(host, "gate").save(tmp_path / "policy")
    config = Config(
        policy=str(tmp_path / "policy"),
        corpus=task["corpus"],
        host=task["host"],
        sentences=6,
        rounds=2,
        **LIMITS,
    )
    results, printed = run(config)
    found = results["text"]
    assert found["native"]["over_native"].median == 1.0
    assert found["native"]["reads"].value == 1.0 > found["policy"]["reads"].value
    kept = found["policy"]["bleu"].value / found["native"]["bleu"].value
    assert found["bleu_of_native"] == pytest.approx(kept)
    assert "BLEU [95 %]" in printed
    assert "6 sentences" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", "0"), "--budget 0.0: expected a number above 0"),
        (("--source-length", "2000"), "1024 positions"),
        (("--rounds", "0"), "--rounds"),
        (("--policy", "p", "--sweep"), "either --sweep or --policy"),
        (("--policy", "no/such/folder"), "no/such/folder"),
    ],
)
def test_bad_input_is_refused_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["budget", *arguments])
    with pytest.raises(SystemExit) as stopped:
        program.main()
    assert stopped.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line


def test_a_folder_that_holds_something_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious").touch()
    monkeypatch.setattr(sys, "argv", ["budget", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        program.main()
    assert "already holds files" in capsys.readouterr().err
