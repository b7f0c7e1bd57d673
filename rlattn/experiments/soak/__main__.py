"""Whether memory and speed stay as they are over a long time, on inputs that keep changing.

First the environment is stepped, then sentences are translated by generate() under a policy, each
in a process of its own. What counts is what follows the warm-up: memory that grows by 2 % or more,
or a tenth of the speed that is lost, is a failure, and the program exits with 1.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Literal, get_args

import torch
from rich import box
from rich.table import Table

from rlattn.console.cli import Maybe, check_counts, flag, run_program
from rlattn.console.options import check_types
from rlattn.console.terminal import Terminal
from rlattn.corpora import load_corpus
from rlattn.errors import InputError
from rlattn.experiments.soak.flatness import Flatness, flatness, measured
from rlattn.experiments.soak.work import generating, stepping
from rlattn.experiments.throughput.memory import rss_mb
from rlattn.hosts import load_host

MOST_GROWTH, MOST_SLOWDOWN = 2.0, 10.0  # percent

Part = Literal["env", "generate"]

_UNITS = {"env": "steps", "generate": "sentences"}
_SAMPLES = 200


@dataclass(frozen=True)
class Config:
    """How long, and on what.

    Attributes:
        minutes: How long each part lasts.
        warm_up: The share of that in which caches fill, which does not count.
        part: One part alone; by default both, one after the other.
        host: The frozen translator, as `rlattn.hosts.load_host` finds it.
        corpus: What it translates, as `rlattn.corpora.load_corpus` finds it.
        sentences: How many of its training sentences at most. The environment remembers what the
            host makes of each, so all should have had their turn within the warm-up.
        lanes: How many sentences advance together.
        threads: How many threads PyTorch has; by default as many as it likes.
        seed: Seed of everything that is random.
        json: Whether to print a JSON object in place of a table.
    """

    minutes: float = 10.0
    warm_up: float = 0.25
    part: Maybe[Part] = None
    host: str = "embedded"
    corpus: str = "locale:en-de"
    sentences: int = 5000
    lanes: int = 64
    threads: Maybe[int] = None
    seed: int = 0
    json: bool = False


def check(config: Config) -> None:
    """Checks what can be checked before anything is loaded.

    Raises:
        InputError: If something is out of range.
    """
    check_types(config)
    check_counts(config, "lanes", "sentences", *([] if config.threads is None else ["threads"]))
    if not (math.isfinite(config.minutes) and config.minutes > 0):
        raise InputError(f"--minutes {config.minutes}: expected a number above 0")
    if not 0 <= config.warm_up <= 0.9:
        raise InputError(f"--warm-up {config.warm_up}: expected a share from 0 to 0.9")
    if not 0 <= config.seed < 2**32:
        raise InputError(f"--seed {config.seed}: expected a number from 0 to {2**32 - 1}")


def soak(config: Config, part: Part) -> Flatness:
    """Runs a part in this process.

    Args:
        config: How long, and on what.
        part: What is done.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    host, corpus = load_host(config.host), load_corpus(config.corpus)
    pairs = corpus.train[: config.sentences]
    work = stepping if part == "env" else generating
    seconds = 60 * config.minutes
    samples = measured(
        work(host, pairs, config.lanes, config.seed),
        seconds=seconds,
        every=seconds / _SAMPLES,
        wall=time.monotonic,
        processor=time.process_time,
        rss=rss_mb,
    )
    return flatness(list(samples), config.warm_up)


def is_flat(found: Flatness) -> bool:
    """Whether neither memory nor speed went astray."""
    return found.growth < MOST_GROWTH and found.slowdown < MOST_SLOWDOWN


def run(config: Config) -> dict[Part, Flatness]:
    """Runs the parts that are asked for, and prints what was found.

    Args:
        config: How long, and on what.

    Returns:
        What was found of each part.

    Raises:
        InputError: If something given cannot be used.
    """
    check(config)
    parts: tuple[Part, ...] = get_args(Part) if config.part is None else (config.part,)
    # What one part leaves in memory must not be room for the next one to grow into.
    found: dict[Part, Flatness]
    if len(parts) == 1:
        found = {part: soak(config, part) for part in parts}
    else:
        found = {part: _alone(config, part) for part in parts}
    if config.json:
        print(json.dumps({part: asdict(flat) for part, flat in found.items()}))
    else:
        _print(found)
    if not all(map(is_flat, found.values())):
        sys.exit(1)
    return found


def _alone(config: Config, part: Part) -> Flatness:
    """Runs a part in a process of its own."""
    given = {**asdict(config), "part": part}
    options = [
        [flag(name), str(value)]
        for name, value in given.items()
        if value is not None and name != "json"
    ]
    command = [sys.executable, "-m", "rlattn.experiments.soak", "--json", *chain(*options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise InputError(f"the part {part} ended with {done.returncode}: see above")
    return Flatness(**json.loads(done.stdout)[part])


def _print(found: dict[Part, Flatness]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "memory", "growth", "first third", "last third", "slowdown", "samples", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for part, flat in found.items():
        unit = f"{_UNITS[part]}/s"
        table.add_row(
            part,
            f"{flat.rss:,.0f} MB",
            f"{flat.growth:+.2f} %",
            f"{flat.first:,.0f} {unit}",
            f"{flat.last:,.0f} {unit}",
            f"{flat.slowdown:+.1f} %",
            str(flat.samples),
            "flat" if is_flat(flat) else "not flat",
        )
    Terminal().print(table)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.experiments.soak", __doc__, Config, run)


if __name__ == "__main__":
    main()
