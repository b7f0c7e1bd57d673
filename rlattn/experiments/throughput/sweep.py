"""Every figure against source length, lanes and host size: each point is a process of its own.

That way its peak memory is its own too, and one that fails leaves the others alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from rlattn.experiments.provenance import MADE_WITH
from rlattn.experiments.throughput.settings import SYNTHETIC, Config

LENGTHS = (16, 32, 64, 128, 256, 512)
LANES = (1, 4, 16, 64, 256, 512)
SIZES = ("small", "medium", "large")

MAIN_LANES = 64
FEW_LANES = 4  # for long sources: a whole turn grows with the square of the length
_PATIENCE = 900  # seconds

Sweeps = dict[str, dict[str, dict[str, Any]]]
"""The results of each point, by axis and by place on it; ``{"failed": reason}`` where it failed."""


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        axis: What is varied: ``source_length``, ``lanes`` or ``size``.
        place: Its value.
        lanes: How many sentences advance together.
    """

    axis: str
    place: str
    lanes: int

    def arguments(self, config: Config) -> list[str]:
        """The command line that measures it, and else what `config` says."""
        settings = {
            "lanes": self.lanes,
            "rounds": 3,
            "seconds": 0.5,
            "threads": torch.get_num_threads(),
            "kind": config.kind,
            "device": config.device,
            "seed": config.seed,
            "host": config.host,
            "corpus": config.corpus,
            "prefix": config.prefix,
            "size": config.size,
            "source_length": config.source_length,
            self.axis: self.place,
        }
        return [
            *("--json", "--quick", "--brief"),
            *(
                part
                for name, value in settings.items()
                if value is not None
                for part in (f"--{name.replace('_', '-')}", str(value))
            ),
        ]


def points(config: Config) -> list[Point]:
    """What to measure; only a synthetic host comes in sizes and reads sentences of any length."""
    found = [Point("lanes", str(lanes), lanes) for lanes in LANES]
    if config.host == SYNTHETIC:
        found += [Point("source_length", str(length), FEW_LANES) for length in LENGTHS]
        found += [Point("size", size, MAIN_LANES) for size in SIZES]
    return found


def sweep(config: Config, report: Callable[[Point, int, int], None]) -> Sweeps:
    """Measures all points.

    Args:
        config: What does not vary.
        report: Told of each point, how many are over and how many there are.
    """
    chosen = points(config)
    sweeps: Sweeps = {point.axis: {} for point in chosen}
    for done, point in enumerate(chosen, start=1):
        sweeps[point.axis][point.place] = measure(point.arguments(config))
        report(point, done, len(chosen))
    return sweeps


def measure(arguments: list[str]) -> dict[str, Any]:
    """Runs the program in a process of its own.

    Returns:
        Its results, or under ``failed`` the reason why there are none.
    """
    command = [sys.executable, "-m", "rlattn.experiments.throughput", *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {_PATIENCE} seconds"}
    if answer.returncode:
        return {"failed": _reason(answer)}
    results: dict[str, Any] = json.loads(answer.stdout)
    return {name: value for name, value in results.items() if name not in MADE_WITH}


def failures(sweeps: Sweeps) -> Iterator[str]:
    """A line for each point that failed."""
    for axis, places in sweeps.items():
        for place, results in places.items():
            if "failed" in results:
                yield f"{axis} {place}: {results['failed']}"


def _reason(answer: subprocess.CompletedProcess[str]) -> str:
    if answer.returncode < 0:
        return f"killed by signal {-answer.returncode}"
    lines = answer.stderr.strip().splitlines()
    return lines[-1] if lines else f"exit status {answer.returncode}"
