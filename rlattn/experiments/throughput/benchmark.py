"""All contestants on one workload, and the figures that come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from rlattn.experiments.provenance import made_with
from rlattn.experiments.throughput import generating, memory, rates
from rlattn.experiments.throughput.bare import bare
from rlattn.experiments.throughput.measure import (
    Contestant,
    Rounds,
    Spread,
    clock,
    interleave,
    limit_rounds,
    medians,
    ranges,
    turns,
)
from rlattn.experiments.throughput.ppo import Learning
from rlattn.experiments.throughput.settings import Plan
from rlattn.experiments.throughput.workload import Workload

_BEAM_STEPS = 64

Report = Callable[[str, int, int], None]
"""Is told what was done, how many turns are over and how many there are."""


def benchmark(workload: Workload, plan: Plan, report: Report) -> dict[str, Any]:
    """Measures everything on one workload.

    Args:
        workload: A host and sentences.
        plan: What to measure and for how long.
        report: Told of every turn.

    Returns:
        Figures by name, ready for JSON; ``spreads`` holds the lowest and highest round of those
        that were measured in rounds.
    """
    if workload.device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(workload.device)
    learning = Learning(workload.settings(workload.reward), plan.main, plan.rollouts)
    contestants = {
        **_by_lanes(workload, plan.lanes),
        **_generating(workload, plan.main),
        "ppo": learning.contestant,
    }
    aside = _aside(workload, plan.main)
    default = None
    if plan.all:
        default = Learning(workload.settings(None, "host"), plan.main, plan.rollouts)
        aside |= {**_further(workload, plan.main), "default ppo": default.contestant}
    contestants |= limit_rounds(aside, plan.rounds_aside)
    measured = _figures(take_turns(contestants, workload.device, plan, report), plan)
    lengths = {"mean_source": workload.mean_source, "mean_target": workload.mean_target}
    kept = memory.memory_share(**lengths, d_model=workload.host.d_model)
    return {
        **medians(measured),
        "ppo_shares": learning.shares,
        **({} if default is None else {"ppo_default_objective_shares": default.shares}),
        **memory.reference_transition(),
        "workload_bytes_per_transition": memory.transition_bytes(learning.ppo) + kept,
        "peak_rss_mb": memory.peak_rss_mb(),
        "peak_device_mb": memory.peak_device_mb(workload.device),
        "device": workload.device,
        "threads": torch.get_num_threads(),
        "workload": {**workload.description, **lengths},
        "plan": {**asdict(plan), "lanes": list(plan.lanes)},
        **made_with(workload.corpus, workload.identity),
        "spreads": ranges(measured),
    }


def _by_lanes(workload: Workload, lanes: tuple[int, ...]) -> dict[str, Contestant]:
    contestants = {}
    for count in lanes:
        contestants[f"bare {count}"] = bare(workload.host, workload.batches(count))
        contestants[f"env {count}"] = rates.env(workload, count)
    return contestants


def _generating(workload: Workload, rows: int) -> dict[str, Contestant]:
    batches = workload.batches(rows)
    # Beams are slow: one batch of middle length, and not all of it where it is long.
    middle, beams = [batches[len(batches) // 2].start(_BEAM_STEPS)], generating.BEAMS
    return {
        "plain greedy": generating.plain(workload, batches),
        "steered greedy": generating.steered(workload, batches),
        "plain beam4": generating.plain(workload, middle, beams),
        "steered beam4": generating.steered(workload, middle, beams),
    }


def _aside(workload: Workload, lanes: int) -> dict[str, Contestant]:
    return {
        "vector": rates.vector_env(workload, lanes),
        "dummy": rates.dummy(workload, lanes),
        "fidelity": rates.fidelity(workload, lanes),
    }


def _further(workload: Workload, lanes: int) -> dict[str, Contestant]:
    return {
        "policy greedy": generating.under_policy(workload, workload.batches(lanes)),
        "default env": rates.default_env(workload, lanes),
    }


def take_turns(
    contestants: Mapping[str, Contestant], device: str, plan: Plan, report: Report
) -> Rounds:
    """Has contestants take turns, and reports each.

    Args:
        contestants: By name.
        device: Where they work.
        plan: How often, and for how long.
        report: Told of every turn.
    """
    total = turns(contestants, plan.rounds)
    found: dict[str, list[float]] = {name: [] for name in contestants}
    measuring = interleave(
        contestants, rounds=plan.rounds, seconds=plan.seconds, clock=clock(device)
    )
    for done, (name, rate) in enumerate(measuring, start=1):
        report(name, done, total)
        if rate is not None:
            found[name].append(rate)
    return Rounds(found)


def _figures(rounds: Rounds, plan: Plan) -> dict[str, Any]:
    main, ratio, rate = plan.main, rounds.ratio, rounds.rate
    ways = ("greedy", "beam4")
    by_lanes: dict[str, dict[str, Spread]] = {
        f"{name}_steps_per_s": {str(n): rate(f"{name} {n}") for n in plan.lanes}
        for name in ("bare", "env")
    }
    figures: dict[str, Any] = {
        **by_lanes,
        "env_over_bare": {str(n): ratio(f"env {n}", f"bare {n}") for n in plan.lanes},
        "vector_env_steps_per_s": rate("vector"),
        "vector_env_over_bare": ratio("vector", f"bare {main}"),
        "fidelity_steps_per_s": rate("fidelity"),
        "dummy_steps_per_s": rate("dummy"),
        "env_over_dummy": ratio(f"env {main}", "dummy"),
        "ppo_steps_per_s": rate("ppo"),
        "ppo_over_env": ratio("ppo", f"env {main}"),
        "generate_tokens_per_s": {
            kind: {way: rate(f"{kind} {way}") for way in ways} for kind in ("plain", "steered")
        },
        "steered_over_plain": {way: ratio(f"steered {way}", f"plain {way}") for way in ways},
        "bare_over_generate": ratio(f"bare {main}", "plain greedy"),
    }
    if plan.all:
        figures["policy_over_plain"] = {"greedy": ratio("policy greedy", "plain greedy")}
        figures["ppo_default_objective"] = {
            "steps_per_s": rate("default ppo"),
            "env_steps_per_s": rate("default env"),
            "ratio": ratio("default ppo", "default env"),
        }
    return figures | growth(rounds, plan, ("env", "bare"))


def growth(rounds: Rounds, plan: Plan, names: Sequence[str]) -> dict[str, Any]:
    """How many times as long a step of 256 lanes takes as one of 64, where both were measured.

    Args:
        rounds: What was measured.
        plan: At how many lanes.
        names: The contestants that were measured by lanes.
    """
    if not {64, 256} <= set(plan.lanes):
        return {}
    # The time that a step of all lanes takes: four times as many lanes, each at its rate.
    ratios = {name: rounds.ratio(f"{name} 64", f"{name} 256", 256 / 64) for name in names}
    return {"growth_64_to_256": ratios}
