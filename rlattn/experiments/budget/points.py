"""One task, measured: who is how fast, and how much memory each takes by itself."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

from rlattn.experiments.budget.writing import ACTIONS, PLAIN, Fit, Task, fit, writer
from rlattn.experiments.throughput.measure import Rounds, Spread, clock, interleave
from rlattn.experiments.throughput.memory import peak_rss_mb

CONTESTANTS = (PLAIN, *ACTIONS)


def measure(task: Task, rounds: int, report: Callable[[str], None]) -> dict[str, Any]:
    """Lets all contestants take turns in this process, and measures their memory in others.

    Args:
        task: What they write.
        rounds: How often each has its turn.
        report: Told of each contestant, before and whenever it had its turn.

    Returns:
        By contestant: ``tokens_per_s`` (a `Spread`), ``over_plain`` (the ratio, a `Spread`),
        ``reads`` (the share of positions) and ``peak_mb`` (10^6 bytes, weights included).
    """
    writers, fits = {}, {}
    for name in CONTESTANTS:
        report(name)
        fits[name] = fit(task, name)
        writers[name] = writer(task, name, fits[name])
    rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for name, rate in interleave(writers, rounds=rounds, seconds=0.0, clock=clock("cpu")):
        report(name)
        if rate is not None:
            rates[name].append(rate)
    found = Rounds(rates)
    return {
        name: {
            "tokens_per_s": found.rate(name),
            "over_plain": Spread(1.0, 1.0, 1.0) if name == PLAIN else found.ratio(name, PLAIN),
            "reads": fits[name].reads,
            "peak_mb": peak(task, name, fits[name]),
        }
        for name in CONTESTANTS
    }


def peak(task: Task, contestant: str, fitted: Fit) -> float:
    """The most memory that a contestant takes in a process of its own, in 10^6 bytes."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        return pool.submit(_peak, task, contestant, fitted, torch.get_num_threads()).result()


def _peak(task: Task, contestant: str, fitted: Fit, threads: int) -> float:
    torch.set_num_threads(threads)
    writer(task, contestant, fitted).work()
    return peak_rss_mb()
