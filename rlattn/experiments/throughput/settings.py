"""What the program is asked for, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from rlattn.console.cli import Maybe, check_counts, check_device, flag
from rlattn.console.options import check_types
from rlattn.envs.episodes import Prefix
from rlattn.envs.tasks import Kind
from rlattn.errors import InputError
from rlattn.experiments.outputs import check_output
from rlattn.experiments.throughput.synthetic import LONGEST_MEAN, SHORTEST, SizeName

SYNTHETIC = "synthetic"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What to measure, on what, and where to put the results.

    Attributes:
        quick: Measure 64 and 256 lanes only, in fewer and shorter turns: under a minute.
        brief: Leave out what no plot shows: generate() under a policy, and PPO under its default
            objective.
        json: Print one JSON object on standard output instead of a table.
        out: A new or empty folder for results.json and the plots. Without --quick every figure is
            then also measured against source length, lanes and host size, which takes a while.
        kind: What hosts make of a text: `translation`, or `classification` in four allocations.
        host: `synthetic`, a host with random weights in the size of --size; or any other by its
            folder or hub id, together with --corpus.
        corpus: What another host reads: `locale:en-de`, `tsv:FILE` or `hub:DATA#SOURCE-TARGET`.
            A synthetic host reads sentences of made-up words.
        size: Size of the synthetic host: `small` (d_model 128, 2+2 layers), `medium` (192, 3+3),
            `large` (512, 6+6), or `tiny` to try the program itself; classifiers have the encoder's
            layers alone.
        source_length: Mean length in tokens of the synthetic source sentences.
        prefix: What is fed back: `reference`, `free` (the steered output) or `host`. By default
            `reference` for a synthetic host, which never ends a sentence, and `free` for others.
        lanes: How many sentences advance together; by default 1 4 16 64 256 512. What is measured
            once only is measured at 64 lanes, or at the most there are when 64 is not among them.
        rounds: How often each contestant has its turn; by default 5, and 2 with --quick.
        seconds: How long a turn lasts at least; by default 1.5, and 0.4 with --quick.
        threads: PyTorch's threads; by default as many as PyTorch takes.
        device: Where host and policy run: `cpu` or `cuda`.
        seed: Seed of weights, sentences and gates.
    """

    quick: bool = False
    brief: bool = False
    json: bool = False
    out: Maybe[Path] = None
    kind: Kind = "translation"
    host: str = SYNTHETIC
    corpus: Maybe[str] = None
    size: SizeName = "medium"
    source_length: int = 14
    prefix: Maybe[Prefix] = None
    lanes: Annotated[tuple[int, ...], tyro.conf.arg(metavar="[INT ...]", help_behavior_hint="")] = (
        field(default=())
    )
    rounds: Maybe[int] = None
    seconds: Maybe[float] = None
    threads: Maybe[int] = None
    device: str = "cpu"
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """What to measure and for how long.

    Attributes:
        lanes: For the figures that are given by lanes.
        main: For all other figures.
        rounds: How often each contestant has its turn.
        seconds: How long a turn lasts at least.
        rounds_aside: The same for what is only reported aside.
        rollouts: Of PPO in a turn.
        all: Whether to measure also what no plot shows.
    """

    lanes: tuple[int, ...]
    main: int
    rounds: int
    seconds: float
    rounds_aside: int
    rollouts: int
    all: bool


def plan(config: Config) -> Plan:
    """Fills in what was left out."""
    lanes = config.lanes or ((64, 256) if config.quick else (1, 4, 16, 64, 256, 512))
    rounds = config.rounds or (2 if config.quick else 5)
    return Plan(
        lanes=tuple(sorted(set(lanes))),
        main=64 if 64 in lanes else max(lanes),
        rounds=rounds,
        rounds_aside=1 if config.quick else rounds,
        seconds=config.seconds or (0.4 if config.quick else 1.5),
        rollouts=1 if config.quick else 3,
        all=not config.brief,
    )


def check(config: Config) -> None:
    """Checks what can be checked before anything is made.

    Raises:
        InputError: If something is out of range or does not go together, the device is not there,
            or the out folder is taken.
    """
    check_types(config)
    counts = [name for name in ("rounds", "threads") if getattr(config, name) is not None]
    check_counts(config, *counts)
    for lanes in config.lanes:
        if lanes < 1:
            raise InputError(f"--lanes {lanes}: expected at least 1")
    if config.seconds is not None and not (math.isfinite(config.seconds) and config.seconds > 0):
        raise InputError(f"--seconds {config.seconds}: expected a number above 0")
    if not SHORTEST <= config.source_length <= LONGEST_MEAN:
        raise InputError(
            f"{flag('source_length')} {config.source_length}: expected a number from {SHORTEST} to "
            f"{LONGEST_MEAN}"
        )
    if not 0 <= config.seed < 2**32:
        raise InputError(f"--seed {config.seed}: expected a number from 0 to {2**32 - 1}")
    if (config.host == SYNTHETIC) != (config.corpus is None):
        raise InputError(
            "--host and --corpus go together: give both, or neither for a synthetic host"
        )
    if config.kind == "classification" and config.prefix is not None:
        raise InputError("--prefix goes with --kind translation: a classifier writes nothing")
    check_device(config.device)
    if config.out is not None:
        check_output(config.out)
