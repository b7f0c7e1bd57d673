"""A training by PPO as the programs run it: its objective, and the policy that it leaves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from stable_baselines3 import PPO

from rlattn.agents import Validation, learn
from rlattn.agents.best import KeepsBest
from rlattn.agents.checkpoints import Checkpoints
from rlattn.errors import ContractError, DivergedError, StoppedError
from rlattn.experiments.outputs import save_figure
from rlattn.experiments.signals import wishes
from rlattn.inference import TrainedPolicy
from rlattn.plots import learning_curves

CHECKPOINTS = "checkpoints"
"""The folder of the checkpoints in that of a run that is not over."""


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
        earlier: How much of that was before the run was resumed.
    """

    policy: TrainedPolicy
    kept: dict[str, Any]
    curve: list[dict[str, Any]]
    seconds: float
    earlier: float


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
    minutes: float,
    resume: bool,
    command: tuple[str, ...],
    console: Console,
) -> Trained:
    """Trains, saves the policy and draws its learning curves.

    Checkpoints lie in the folder until `forget_checkpoints`.

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
        minutes: How much time passes between two checkpoints.
        resume: Whether to go on from the last checkpoint, if there is one.
        command: The command line that the run began with.
        console: Where to say how it goes on.

    Raises:
        ContractError: If a reward breaks its contract; the message names the last checkpoint.
        DivergedError: If the policy breaks; likewise.
        StoppedError: At SIGINT or SIGTERM, after a checkpoint.
        InputError: If no checkpoint is whole, or it is not of this run.
        OutputError: If something cannot be written.
    """
    validation = Validation(validator, every=max(1, steps // validations))
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    with wishes() as wish:
        checkpoints = Checkpoints(
            out / CHECKPOINTS, validation, minutes=minutes, asked=lambda: wish.signal
        )
        logs = checkpoints.restore(ppo, say) if resume else None
        if resume:
            say(f"going on from {ppo.num_timesteps} of {steps} steps")
        try:
            learn(ppo, steps, [validation, checkpoints], log_folder=out, resumed=logs)
            seconds = checkpoints.seconds
        except (ContractError, DivergedError) as error:
            error.args = (f"{error}; the last good checkpoint is {checkpoints.newest}",)
            raise
        except StoppedError as error:
            error.args = (f"{error}; go on with --resume {out}",)
            raise
    policy, kept = validator.policy, validator.best
    assert kept is not None
    assert policy.training is not None
    policy.training = replace(policy.training, corpus=corpus, command=command)
    policy.save(out / "policy")  # before anything that comes may fail
    curve = [asdict(point) for point in validator.curve]
    figure = learning_curves(curve, native=native, kept=kept.env_steps, reads_target=reads_target)
    save_figure(out / "curves.png", figure)
    return Trained(policy, asdict(kept), curve, seconds, checkpoints.earlier)


def forget_checkpoints(out: Path) -> None:
    """Removes the checkpoints of a run, once its results are written."""
    shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)


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
