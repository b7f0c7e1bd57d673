"""Points of the plots: processes of their own, whose failures are told."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from rlattn.experiments.throughput.settings import Config
from rlattn.experiments.throughput.sweep import Point, failures, measure, points


def test_a_synthetic_host_is_varied_in_every_way() -> None:
    axes = [point.axis for point in points(Config())]
    assert {axis: axes.count(axis) for axis in axes} == {"lanes": 6, "source_length": 6, "size": 3}


def test_another_host_only_in_lanes() -> None:
    assert {point.axis for point in points(Config(host="h", corpus="c"))} == {"lanes"}


@pytest.mark.parametrize(
    ("point", "varied"),
    [
        (Point("lanes", "4", 4), {"--lanes": "4", "--size": "tiny", "--source-length": "6"}),
        (Point("source_length", "32", 8), {"--lanes": "8", "--source-length": "32"}),
        (Point("size", "large", 64), {"--lanes": "64", "--size": "large"}),
    ],
)
def test_a_point_varies_one_thing(point: Point, varied: dict[str, str]) -> None:
    arguments = point.arguments(Config(size="tiny", source_length=6, seed=5))
    assert "--corpus" not in arguments
    for name, value in {**varied, "--seed": "5"}.items():
        assert arguments.count(name) == 1
        assert arguments[arguments.index(name) + 1] == value


def test_a_point_is_measured_in_a_process_of_its_own() -> None:
    arguments = Point("lanes", "2", 2).arguments(Config(size="tiny", source_length=4))
    arguments[arguments.index("--seconds") + 1] = "0.001"
    results = measure(arguments)
    assert list(results["bare_steps_per_s"]) == ["2"]
    assert results["workload"]["mean_source"] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize(
    ("code", "errors", "reason"),
    [
        (2, "a warning\nerror: --lanes 0: expected at least 1\n", "error: --lanes 0: expected at"),
        (-9, "", "killed by signal 9"),
        (1, "", "exit status 1"),
    ],
)
def test_a_failure_is_told_and_hides_nothing(
    code: int, errors: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, "", errors)

    monkeypatch.setattr(subprocess, "run", fails)
    results = measure(["--lanes", "0"])
    assert results["failed"].startswith(reason)
    sweeps = {"lanes": {"0": results, "1": {"env_over_bare": {}}}}
    assert list(failures(sweeps)) == [f"lanes 0: {results['failed']}"]
