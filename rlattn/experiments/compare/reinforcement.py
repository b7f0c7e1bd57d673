"""Learners that go by rewards, as a comparison runs them: on the task's objective or a control."""

from __future__ import annotations

from typing import Any

from rlattn.agents import PPOSettings, ReinforceSettings, Validator, learn_ppo, learn_reinforce
from rlattn.experiments.compare.learning import limits
from rlattn.experiments.compare.scene import Scene
from rlattn.experiments.compare.tasks import ObjectiveName
from rlattn.policy import AttentionPolicy
from rlattn.rewards import Control, WeightSpec, controlled

_WEIGHTS: dict[ObjectiveName, dict[str, WeightSpec]] = {
    "quality": {"probability": 1.0},
    "budget": {"probability": 1.0},
    "noise": {"likelihood": 1.0},
}
"""What is rewarded at each step: the gain in the probability of the reference's token, or in its
log-likelihood."""

_PRICE = 0.08
"""The most that reading as much as the target costs, in probability of the reference's token."""


def by_ppo(
    scene: Scene,
    policy: AttentionPolicy,
    validator: Validator,
    steps: int,
    *,
    control: Control | None = None,
    start: AttentionPolicy | None = None,
) -> None:
    """Trains a policy with PPO, on the task's reward or on what tells nothing in its place.

    Args:
        scene: What to work with.
        policy: What is trained.
        validator: What validates it.
        steps: Environment steps.
        control: What takes the place of the reward's quality, if anything.
        start: What to begin with instead, if not with the policy itself.
    """
    chosen, objective = _told(scene, "ppo", control)
    settings = PPOSettings(**chosen)
    shared = limits(scene, steps)
    learn_ppo(
        scene.host,
        scene.train,
        policy,
        settings,
        **objective,
        **shared,
        validator=validator,
        start=start,
    )


def by_reinforce(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy with REINFORCE on the task's reward."""
    chosen, objective = _told(scene, "reinforce")
    settings = ReinforceSettings(**chosen)
    shared = limits(scene, steps)
    learn_reinforce(
        scene.host, scene.train, policy, settings, **objective, **shared, validator=validator
    )


def _told(
    scene: Scene, learner: str, control: Control | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a learner, and what it is rewarded for."""
    task = scene.task
    assert task is not None
    # Along a given prefix each step is rewarded by itself; the constant control is not known to be.
    settings = {"gamma": 0.0, "reads_price": _PRICE, **scene.settings_of(learner)}
    price = settings.pop("reads_price")
    weights = _WEIGHTS[task.objective]
    weights = weights if control is None else controlled(weights, control)
    if task.reads is not None:
        weights = {**weights, "reads": -price / task.reads}
    return settings, {"reward": weights, "prefix": "reference", "reads_target": task.reads}
