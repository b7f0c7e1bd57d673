"""What the program is asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rlattn.console.cli import Maybe, check_counts
from rlattn.console.options import check_types
from rlattn.errors import InputError
from rlattn.experiments.budget.writing import Task
from rlattn.experiments.outputs import check_output
from rlattn.experiments.throughput.synthetic import SizeName

SOURCES = (128, 256, 512, 1024)
BATCHES = (1, 4, 16)
BUDGETS = (0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, kw_only=True)
class Config:
    """What to measure, and where to put the results.

    Attributes:
        source_length: Length of the sources in tokens, at most 1024.
        batch: How many sources are decoded together.
        budget: The share of the source positions that a policy reads at each step.
        tokens: How many tokens are written for each source.
        size: The host: `large` (d_model 512, 6+6 layers, 8 heads, 8,000 words), `medium` (192,
            3+3), `small` (128, 2+2), or `tiny` to try the program itself. Its weights are random.
        policy: A trained policy, its folder or its name on the Hugging Face hub, to be measured on
            text instead: what it keeps of its host's BLEU, and how fast both are from text to text.
        corpus: What is translated under --policy: its first test sentences.
        host: Where the policy's host is; by default where its training found it.
        sentences: How many test sentences are translated under --policy.
        max_source: Longest source under --policy, in tokens.
        max_target: Longest target under --policy, in tokens.
        sweep: Measure also against source length, batch and budget, and draw it; takes a while.
        rounds: How often each contestant has its turn.
        json: Print one JSON object on standard output instead of a table.
        out: A new or empty folder for results.json and, with --sweep, the plot.
        threads: PyTorch's threads; by default as many as PyTorch takes.
        seed: Seed of weights and sources.
    """

    source_length: int = 1024
    batch: int = 16
    budget: float = 0.1
    tokens: int = 64
    size: SizeName = "large"
    policy: Maybe[str] = None
    corpus: str = "documents:en-de"
    host: Maybe[str] = None
    sentences: int = 200
    max_source: int = 1024
    max_target: int = 160
    sweep: bool = False
    rounds: int = 5
    json: bool = False
    out: Maybe[Path] = None
    threads: Maybe[int] = None
    seed: int = 0


def check(config: Config) -> None:
    """Checks what can be checked before anything is made.

    Raises:
        InputError: If something is out of range, or the out folder is taken.
    """
    check_types(config)
    counts = ["source_length", "batch", "tokens", "rounds"]
    counts += ["sentences", "max_source", "max_target"]
    check_counts(config, *counts, *([] if config.threads is None else ["threads"]))
    if config.source_length > SOURCES[-1] or config.tokens >= SOURCES[-1]:
        raise InputError(f"the host knows {SOURCES[-1]} positions: ask for fewer tokens")
    if not (math.isfinite(config.budget) and 0 < config.budget <= 1):
        raise InputError(f"--budget {config.budget}: expected a number above 0 and at most 1")
    if config.policy is not None and config.sweep:
        raise InputError("--sweep is for random hosts: give either --sweep or --policy")
    if not 0 <= config.seed < 2**32:
        raise InputError(f"--seed {config.seed}: expected a number from 0 to {2**32 - 1}")
    if config.out is not None:
        check_output(config.out)


def main_task(config: Config) -> Task:
    """What was asked for."""
    return Task(
        config.source_length, config.batch, config.budget, config.tokens, config.size, config.seed
    )


def points(config: Config) -> Iterator[tuple[str, Task]]:
    """What to measure: the axis, and the task, in which all else is as it was asked for."""
    task = main_task(config)
    for source in SOURCES:
        yield "source", replace(task, source=source)
    for batch in BATCHES:
        yield "batch", replace(task, batch=batch)
    for budget in BUDGETS:
        yield "budget", replace(task, budget=budget)
