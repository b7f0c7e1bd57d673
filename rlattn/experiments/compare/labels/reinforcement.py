"""PPO on a classifier, as a comparison runs it: on the label or on a control."""

from __future__ import annotations

from typing import Any

from rlattn.agents import PPOSettings, learn_label_ppo
from rlattn.agents.best import KeepsBest
from rlattn.experiments.compare.labels.scene import LabelScene, reading_of
from rlattn.experiments.compare.learning import limits
from rlattn.policy import AttentionPolicy
from rlattn.rewards import Control, WeightSpec, controlled

PRICE = 0.15
"""The most that reading as much as the target costs, in probability of the label, or in nats."""


def by_ppo(
    scene: LabelScene,
    policy: AttentionPolicy,
    validator: KeepsBest[Any],
    steps: int,
    *,
    control: Control | None = None,
    start: AttentionPolicy | None = None,
) -> None:
    """Trains a policy with PPO for the probability of the label at the end, over the native one.

    Args:
        scene: What to work with.
        policy: What is trained.
        validator: What validates it.
        steps: Environment steps.
        control: What takes the place of that, if anything.
        start: What to begin with instead, if not with the policy itself.
    """
    task = scene.task
    assert task is not None
    chosen = {"rollout": 16, "batch_size": 1024, **scene.settings_of("ppo")}
    price = chosen.pop("reads_price", PRICE)
    # Not its logarithm: a host that is sure of a wrong label would count for all others.
    weights: dict[str, WeightSpec] = {"final:probability": 1.0}
    if control is not None:
        weights = controlled(weights, control)
    if task.reads is not None:
        weights["reads"] = -price / task.reads
    learn_label_ppo(
        scene.host,
        scene.train,
        policy,
        PPOSettings(**chosen),
        reward=weights,
        reading=reading_of(scene),
        reads_target=task.reads,
        start=start,
        validator=validator,
        **limits(scene, steps),
    )
