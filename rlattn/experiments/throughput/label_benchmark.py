"""All contestants of classification on one workload, and the figures that come out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import torch

from rlattn.experiments.provenance import provenance
from rlattn.experiments.throughput import forwards, memory, rates
from rlattn.experiments.throughput.benchmark import Report, growth, take_turns
from rlattn.experiments.throughput.measure import (
    Contestant,
    Rounds,
    limit_rounds,
    medians,
    ranges,
)
from rlattn.experiments.throughput.ppo import Learning
from rlattn.experiments.throughput.settings import Plan
from rlattn.experiments.throughput.texts import TextWorkload

_BY_LANES = ("bare", "whole", "env")


def label_benchmark(workload: TextWorkload, plan: Plan, report: Report) -> dict[str, Any]:
    """Measures everything on one workload, as `benchmark` does.

    Args:
        workload: A host and texts.
        plan: What to measure and for how long.
        report: Told of every turn.

    Returns:
        Figures by name, ready for JSON.
    """
    if workload.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(workload.device)
    learning = Learning(workload.settings(workload.reward), plan.main, plan.rollouts)
    contestants: dict[str, Contestant] = {}
    for lanes in plan.lanes:
        contestants[f"bare {lanes}"] = forwards.bare(workload, lanes)
        contestants[f"whole {lanes}"] = forwards.whole(workload, lanes)
        contestants[f"env {lanes}"] = rates.env(workload, lanes)
    contestants["ppo"] = learning.contestant
    aside = {
        "vector": rates.vector_env(workload, plan.main),
        "dummy": rates.dummy(workload, plan.main),
    }
    contestants |= limit_rounds(aside, plan.rounds_aside)
    measured = _figures(take_turns(contestants, workload.device, plan, report), plan)
    return {
        **medians(measured),
        "ppo_shares": learning.shares,
        "workload_bytes_per_transition": memory.transition_bytes(learning.ppo)
        + memory.memory_share(workload.mean_source, workload.steps, workload.host.d_model),
        "peak_rss_mb": memory.peak_rss_mb(),
        "peak_device_mb": memory.peak_device_mb(workload.device),
        "device": workload.device,
        "threads": torch.get_num_threads(),
        "workload": workload.description,
        "plan": {**asdict(plan), "lanes": list(plan.lanes)},
        "provenance": provenance(),
        "spreads": ranges(measured),
    }


def _figures(rounds: Rounds, plan: Plan) -> dict[str, Any]:
    main, ratio, rate = plan.main, rounds.ratio, rounds.rate
    return {
        **{
            f"{name}_steps_per_s": {str(n): rate(f"{name} {n}") for n in plan.lanes}
            for name in _BY_LANES
        },
        "env_over_bare": {str(n): ratio(f"env {n}", f"bare {n}") for n in plan.lanes},
        "env_over_whole": {str(n): ratio(f"env {n}", f"whole {n}") for n in plan.lanes},
        "vector_env_steps_per_s": rate("vector"),
        "vector_env_over_bare": ratio("vector", f"bare {main}"),
        "dummy_steps_per_s": rate("dummy"),
        "env_over_dummy": ratio(f"env {main}", "dummy"),
        "ppo_steps_per_s": rate("ppo"),
        "ppo_over_env": ratio("ppo", f"env {main}"),
        **growth(rounds, plan, _BY_LANES),
    }
