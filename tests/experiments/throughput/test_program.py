"""The program from its command line to its last file, and how it refuses bad input."""

from __future__ import annotations

import io
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from rlattn.experiments.throughput import __main__ as program
from rlattn.experiments.throughput import sweep
from rlattn.experiments.throughput.plots import draw_sweep
from rlattn.experiments.throughput.settings import Config, plan
from tests.experiments.throughput.small import TINY

PNG = b"\x89PNG\r\n\x1a\n"
PROMISED = (
    *("bare_steps_per_s", "env_steps_per_s", "env_over_bare", "env_over_dummy", "ppo_over_env"),
    *("steered_over_plain", "bytes_per_transition", "peak_rss_mb", "device", "threads"),
    *("vector_env_steps_per_s", "fidelity_steps_per_s", "dummy_steps_per_s", "ppo_steps_per_s"),
    *("ppo_shares", "generate_tokens_per_s", "bare_over_generate", "ppo_default_objective"),
    *("policy_over_plain", "memory_each_step_bytes", "workload", "provenance", "spreads"),
)


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    results: dict[str, Any]
    out: Path
    printed: str


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("throughput") / "out"
    printed = io.StringIO()
    config = replace(TINY, json=True, out=out)
    results = program.run(config, Console(file=printed, width=20), Console(file=io.StringIO()))
    return Finished(results, out, printed.getvalue())


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("labelled") / "out"
    printed = io.StringIO()
    config = replace(TINY, kind="classification", out=out)
    errors = Console(file=io.StringIO())
    results = program.run(config, Console(file=printed, width=100), errors)
    return Finished(results, out, printed.getvalue())


def numbers(tree: Any) -> Iterator[float]:
    if isinstance(tree, Mapping):
        for value in tree.values():
            yield from numbers(value)
    elif isinstance(tree, int | float):
        yield tree


class TestResults:
    def test_everything_promised_is_there(self, finished: Finished) -> None:
        assert set(PROMISED) <= set(finished.results)
        assert all(map(math.isfinite, numbers(finished.results)))
        for name in ("bare_steps_per_s", "env_steps_per_s", "env_over_bare"):
            assert list(finished.results[name]) == ["2", "3"]
        assert set(finished.results["steered_over_plain"]) == {"greedy", "beam4"}

    def test_one_json_object_is_printed_and_nothing_else(self, finished: Finished) -> None:
        assert json.loads(finished.printed) == finished.results
        assert finished.printed.count("\n") == 1

    def test_the_same_is_written(self, finished: Finished) -> None:
        written = (finished.out / "results.json").read_text(encoding="utf-8")
        assert json.loads(written) == finished.results
        assert (finished.out / "shares.png").read_bytes().startswith(PNG)

    def test_ratios_are_those_of_the_rates(self, finished: Finished) -> None:
        # Of one round only, the medians are the round's own numbers.
        results = finished.results
        env, bare = results["env_steps_per_s"], results["bare_steps_per_s"]
        for lanes, ratio in results["env_over_bare"].items():
            assert ratio == pytest.approx(env[lanes] / bare[lanes])
        assert results["env_over_dummy"] == pytest.approx(env["3"] / results["dummy_steps_per_s"])
        assert results["ppo_over_env"] == pytest.approx(results["ppo_steps_per_s"] / env["3"])
        tokens = results["generate_tokens_per_s"]
        for way, ratio in results["steered_over_plain"].items():
            assert ratio == pytest.approx(tokens["steered"][way] / tokens["plain"][way])
        assert results["bare_over_generate"] == pytest.approx(bare["3"] / tokens["plain"]["greedy"])

    def test_spreads_hold_the_medians(self, finished: Finished) -> None:
        spreads = finished.results["spreads"]
        for name in ("ppo_over_env", "dummy_steps_per_s"):
            low, high = spreads[name]
            assert low <= finished.results[name] <= high


class TestClassification:
    """With --kind classification the same program measures what reads for a classifier."""

    def test_everything_promised_is_there(self, labelled: Finished) -> None:
        for name in ("bare_steps_per_s", "whole_steps_per_s", "env_steps_per_s", "env_over_whole"):
            assert list(labelled.results[name]) == ["2", "3"]
        for name in ("vector_env_steps_per_s", "env_over_dummy", "ppo_over_env", "peak_rss_mb"):
            assert labelled.results[name] > 0
        assert all(map(math.isfinite, numbers(labelled.results)))
        assert json.loads((labelled.out / "results.json").read_text()) == labelled.results
        assert (labelled.out / "shares.png").read_bytes().startswith(PNG)

    def test_ratios_are_those_of_the_rates(self, labelled: Finished) -> None:
        results = labelled.results
        env, bare = results["env_steps_per_s"], results["bare_steps_per_s"]
        for lanes, ratio in results["env_over_bare"].items():
            assert ratio == pytest.approx(env[lanes] / bare[lanes])

    def test_the_table_says_on_what(self, labelled: Finished) -> None:
        assert "env_over_bare 3" in labelled.printed
        assert "synthetic classifier tiny" in labelled.printed
        assert "4 allocations" in labelled.printed

    def test_its_figures_can_be_drawn(self, labelled: Finished, tmp_path: Path) -> None:
        results = {**labelled.results}
        for name, found in labelled.results.items():
            if isinstance(found, dict) and list(found) == ["2", "3"]:
                results[name] = {"3": found["3"]}
        draw_sweep(tmp_path / "lanes.png", "lanes", {"3": results})
        assert (tmp_path / "lanes.png").read_bytes().startswith(PNG)


class TestPlan:
    def test_quick_is_64_and_256_lanes(self) -> None:
        assert plan(Config(quick=True)).lanes == (64, 256)
        assert plan(Config(quick=True)).main == 64

    def test_otherwise_all_lanes(self) -> None:
        assert plan(Config()).lanes == (1, 4, 16, 64, 256, 512)
        assert plan(Config()).main == 64

    def test_without_64_lanes_the_most_count(self) -> None:
        assert plan(Config(lanes=(5, 2, 5))).lanes == (2, 5)
        assert plan(Config(lanes=(5, 2, 5))).main == 5


def test_with_an_out_folder_every_axis_is_drawn(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(arguments: list[str]) -> dict[str, Any]:
        if "512" in arguments:
            return {"failed": "too long"}
        lanes = arguments[arguments.index("--lanes") + 1]
        by_lanes = ("bare_steps_per_s", "env_steps_per_s", "env_over_bare")
        return {**finished.results, **{n: {lanes: finished.results[n]["3"]} for n in by_lanes}}

    monkeypatch.setattr(sweep, "measure", measured)
    monkeypatch.setattr(program, "benchmark", lambda *_: dict(finished.results))
    printed, errors = io.StringIO(), io.StringIO()
    config = replace(TINY, quick=False, lanes=(2,), out=tmp_path)
    results = program.run(config, Console(file=printed, width=100), Console(file=errors))
    assert {path.name for path in tmp_path.iterdir()} == {
        *("config.json", "results.json", "shares.png", "lengths.png", "lanes.png", "sizes.png")
    }
    assert all(
        (tmp_path / f"{name}.png").read_bytes().startswith(PNG) for name in ("lanes", "sizes")
    )
    assert results["sweeps"]["lanes"]["512"] == {"failed": "too long"}
    assert "failed: source_length 512: too long\n" in errors.getvalue()
    assert "env_over_bare 3" in printed.getvalue()
    assert "synthetic tiny" in printed.getvalue()


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["throughput", *map(str, arguments)])
    program.main()


def test_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as end:
        call(monkeypatch, "--help")
    assert end.value.code == 0
    said = capsys.readouterr().out
    for words in ("bare", "DummyVecEnv", "--quick", "--json", "--source-length", "--threads"):
        assert words in said


REFUSALS = {
    "no lanes": ("--lanes 64 0", "--lanes 0: expected at least 1"),
    "no rounds": ("--rounds 0", "--rounds 0: expected at least 1"),
    "no seconds": ("--seconds 0", "--seconds 0.0: expected a number above 0"),
    "no threads": ("--threads 0", "--threads 0: expected at least 1"),
    "short sources": ("--source-length 2", "--source-length 2: expected a number from 3 to 512"),
    "long sources": ("--source-length 513", "--source-length 513: expected a number from 3"),
    "negative seed": ("--seed -1", "--seed -1: expected a number from 0"),
    "a host alone": ("--host embedded", "--host and --corpus go together"),
    "a corpus alone": ("--corpus locale:en-de", "--host and --corpus go together"),
    "a prefix": ("--kind classification --prefix free", "--prefix goes with --kind translation"),
    "no such host": ("--host no/host --corpus locale:en-de", "host no/host: neither"),
    "no such corpus": ("--host embedded --corpus nowhere", "unknown corpus 'nowhere'"),
    "no device": ("--device abacus", "--device abacus: not available here; try cpu"),
    "out is taken": ("--out {held}", "already holds files"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_one_line(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments, answer = REFUSALS[case]
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(SystemExit) as end:
        call(monkeypatch, *arguments.format(held=tmp_path).split())
    assert end.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.strip().splitlines()
    assert len(lines) == 1
    assert re.match(r"error: .*" + re.escape(answer), lines[0])
