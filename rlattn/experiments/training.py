"""A training by PPO as the programs run it: its objective, and the policy that it leaves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from stable_baselines3 import PPO

from rlattn.agents import Validation, learn
from rlattn.agents.best import KeepsBest
from rlattn.experiments.outputs import save_figure
from rlattn.inference import TrainedPolicy
from rlattn.plots import learning_curves


@dataclass(frozen=True)
class Objective:
    """What is rewarded, once defaults are filled in.

    Attributes:
        weights: The weight of each reward term, as `TotalReward` takes it.
        reads_target: The fraction of the source to read, or None.
    """

    weights: dict[str, float | dict[str, Any]]
    reads_target: float | None

    @property
    def reads_weight(self) -> float:
        """What the reads weigh, at the end where that changes; 0 where they find a target."""
        weight = self.weights.get("reads", 0.0)
        return weight["end"] if isinstance(weight, dict) else weight


class Trained(NamedTuple):
    """What a training leaves.

    Attributes:
        policy: The best of those that were validated.
        kept: Its point of the curve.
        curve: Every point, as JSON has it.
        seconds: How long it took, validations included.
    """

    policy: TrainedPolicy
    kept: dict[str, Any]
    curve: list[dict[str, Any]]
    seconds: float


def train(
    ppo: PPO,
    validator: KeepsBest[Any],
    out: Path,
    *,
    steps: int,
    validations: int,
    corpus: str,
    native: Mapping[str, float],
    reads_target: float | None,
) -> Trained:
    """Trains, saves the policy and draws its learning curves.

    Args:
        ppo: What `make_ppo` gave.
        validator: Chooses the policy that is kept.
        out: The folder of the run.
        steps: Environment steps, all lanes together.
        validations: How often the policy is validated.
        corpus: What the policy tells that it was trained on.
        native: What native attention reaches on the validation text, by the names of the measures
            that are drawn.
        reads_target: The fraction of the source to read, or None.
    """
    every = max(1, steps // validations)
    began = time.monotonic()
    learn(ppo, steps, [Validation(validator, every=every)], log_folder=out)
    seconds = time.monotonic() - began
    policy, kept = validator.policy, validator.best
    assert kept is not None
    assert policy.training is not None
    policy.training = replace(policy.training, corpus=corpus)
    policy.save(out / "policy")  # before anything that comes may fail
    curve = [asdict(point) for point in validator.curve]
    figure = learning_curves(curve, native=native, kept=kept.env_steps, reads_target=reads_target)
    save_figure(out / "curves.png", figure)
    return Trained(policy, asdict(kept), curve, seconds)


def tell_truncated(results: Mapping[str, Any], what: str, limit: str, console: Console) -> None:
    """Says how many sentences or texts were cut, where any were.

    Args:
        results: Those of the run.
        what: ``"sentences"`` or ``"texts"``.
        limit: How long they may be, in words.
        console: Where to say it.
    """
    for split in ("training", "test"):
        if count := results[f"truncated_{split}_{what}"]:
            console.print(
                f"{count} {split} {what} were longer than {limit} and were cut", soft_wrap=True
            )
