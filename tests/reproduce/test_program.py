"""A run is made again in another process, in which sets have another order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

import rlattn
from rlattn.hosts import Seq2SeqHost
from rlattn.reproduce import __main__ as program
from tests.experiments.moods import write_moods
from tests.experiments.small import write_task

ROOT = Path(rlattn.__file__).parents[1]


def python(folder: Path, hash_seed: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a program of ours in a folder."""
    own = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(hash_seed), "COLUMNS": "160"}
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **own, "OMP_NUM_THREADS": "1"},
    )


def options(task: dict[str, Any], *names: str) -> list[object]:
    """What a task says of itself, on a command line."""
    return [
        word
        for name, value in task.items()
        if name in names
        for word in (f"--{name.replace('_', '-')}", value)
    ]


@pytest.fixture(scope="module")
def folder(host: Seq2SeqHost, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tasks in files, which are named by relative paths, and a run."""
    folder = tmp_path_factory.mktemp("reproduce")
    write_task(host, folder / "small")
    ended = python(folder, 1, *TRANSLATE, "--out", "runs/first")
    assert ended.returncode == 0, ended.stderr
    return folder


SMALL = ("--corpus", "tsv:small/corpus.tsv", "--host", "small/host", "--max-source", 10)
SMALL += ("--max-target", 12)
SHORT = ("--steps", 512, "--lanes", 4, "--valid-sentences", 6, "--validations", 2)
TRANSLATE = ("rlattn.experiments.ppo_translate", *SMALL, *SHORT, "--learning-rate", 0.3)
TRANSLATE += ("--reward", "fidelity=0.1", "reads=-4", "shuffled:chrf=0.01", "--prefix", "free")
COMPARE = ("rlattn.experiments.compare", *SMALL, *SHORT, "--methods", "random", "ppo", "gradient")
COMPARE += ("--objectives", "budget", "--reads", 0.5, "--seeds", 1, "--workers", 2)
COMPARE += ("--test-sentences", 8)
BUDGET = ("rlattn.experiments.budget", *SMALL, "--policy", "runs/first/policy", "--rounds", 1)
BUDGET += ("--sentences", 6)


def again(folder: Path, name: str) -> str:
    """What is printed where a run is made again, and comes out the same."""
    ended = python(folder, 2, "rlattn.reproduce", f"runs/{name}", "--out", f"runs/{name}-again")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " 0 differs" in ended.stdout
    return ended.stdout


@pytest.mark.slow
def test_a_training_on_translation_comes_out_the_same(folder: Path) -> None:
    printed = again(folder, "first")
    assert "running ppo_translate again on 1 threads" in printed
    for name in ("policy/policy.safetensors", "samples.md", "results.json", "progress.csv"):
        assert f"{name} equal" in " ".join(printed.split())
    for name in ("first", "first-again"):
        results = json.loads((folder / "runs" / name / "results.json").read_text())
        assert results["valid"]["kept"]["env_steps"] > 0  # what is compared has learned


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [COMPARE, BUDGET], ids=["compare", "budget"])
def test_so_does_what_is_compared(folder: Path, arguments: tuple[object, ...]) -> None:
    name = str(arguments[0]).rpartition(".")[2]
    ended = python(folder, 1, *arguments, "--out", f"runs/{name}")
    assert ended.returncode == 0, ended.stderr
    printed = " ".join(again(folder, name).split())
    assert "results.json equal" in printed
    if name == "compare":
        for run in ("ppo", "gradient"):
            assert f"runs/{run}.budget-50.0/policy/policy.safetensors equal" in printed
            assert f"runs/{run}.budget-50.0/test.json equal" in printed


@pytest.mark.slow
def test_a_training_on_classification_comes_out_the_same(folder: Path) -> None:
    moods = write_moods(folder / "moods")
    given = options(moods, "train", "valid", "test", "host", "max_source")
    short = ("--steps", 512, "--lanes", 16, "--valid-texts", 20, "--validations", 2)
    ended = python(
        folder, 1, "rlattn.experiments.ppo_classify", *given, *short, "--out", "runs/classify"
    )
    assert ended.returncode == 0, ended.stderr
    printed = " ".join(again(folder, "classify").split())
    for name in ("policy/policy.safetensors", "rationales.html", "report.txt", "results.json"):
        assert f"{name} equal" in printed


def test_results_say_how_the_run_was_made(folder: Path) -> None:
    results = json.loads((folder / "runs" / "first" / "results.json").read_text())
    command = results["provenance"]["command"]
    assert command.startswith("python -m rlattn.experiments.ppo_translate --corpus tsv:small/")
    assert command.endswith("--out runs/first")
    assert set(results["provenance"]) > {"versions", "git_revision", "platform", "threads"}
    assert results["host_resolved"]["name"] == "host"
    assert len(results["corpus_resolved"]["fingerprint"]) == 64
    assert str(folder) not in json.dumps(results)


def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, str, str]:
    """Calls the program in this process; its exit code and what it said."""
    monkeypatch.setattr(sys, "argv", ["reproduce", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as end:
        program.main()
    assert isinstance(end.value.code, int)
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_what_differs_is_told_and_the_exit_code_is_1(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    changed = tmp_path / "changed"
    shutil.copytree(folder / "runs" / "first", changed)
    weights = load_file(changed / "policy" / "policy.safetensors")
    name = next(iter(weights))
    weights[name].view(-1)[0] += 1.0
    save_file(weights, changed / "policy" / "policy.safetensors")
    about = json.loads((changed / "config.json").read_text())
    about["provenance"]["versions"]["numpy"] = "1.0"
    (changed / "config.json").write_text(json.dumps(about))
    code, out, err = call(monkeypatch, capsys, changed, "--out", tmp_path / "again")
    assert code == 1, err
    assert "numpy was 1.0 and is" in out
    assert f"policy/policy.safetensors differs {name}: other bits" in " ".join(out.split())


def test_help_says_how_to_call_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(monkeypatch, capsys, "--help")
    assert code == 0
    assert out.startswith("usage: python -m rlattn.reproduce [-h] DIR [--out PATH]")
    assert "The out folder of a run that is over." in out


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("config.json", "there is no config.json: it is not the out folder of an experiment"),
        ("results.json", "there is no results.json: the run is not over"),
        ("experiment", "experiment: found 'ppo_transl': did you mean 'ppo_translate'?"),
        ("steps", 'steps: found "many", expected a whole number'),
        ("host", "the run cannot be made again: its host was host .* is another: put the host of"),
        ("no host", "the run cannot be made again: host nowhere"),
    ],
)
def test_what_cannot_be_made_again_is_one_line(
    broken: str,
    message: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    run = tmp_path / "run"
    run.mkdir()
    for name in ("config.json", "results.json"):
        if name != broken:
            shutil.copy(folder / "runs" / "first" / name, run)
    changes: dict[str, Any] = {
        "experiment": {"experiment": "ppo_transl"},
        "steps": {"steps": "many"},
        "host": {"host_resolved": {"name": "host", "fingerprint": "0" * 64}},
        "no host": {"host": "nowhere"},
    }
    if broken in changes:
        about = json.loads((run / "config.json").read_text()) | changes[broken]
        (run / "config.json").write_text(json.dumps(about))
    code, out, err = call(monkeypatch, capsys, run, "--out", tmp_path / "again")
    assert code == 2
    assert re.fullmatch(f"error: .*{message}.*\n", err), err
    assert out == ""
    assert not (tmp_path / "again").exists()
