"""Learners that go by rewards, as a comparison runs them: on the task's objective or a control."""

from __future__ import annotations

from typing import Any

from rlattn.agents import PPOSettings, ReinforceSettings, Validator, learn_ppo, learn_reinforce
from rlattn.experiments.compare.learning import limits
from rlattn.experiments.compare.scene import Scene
from rlattn.policy import AttentionPolicy
from rlattn.rewards import Control, controlled


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
    settings = PPOSettings(**_settings(scene, "ppo"))
    objective = _objective(scene, control)
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
    settings = ReinforceSettings(**_settings(scene, "reinforce"))
    objective = _objective(scene, None)
    shared = limits(scene, steps)
    learn_reinforce(
        scene.host, scene.train, policy, settings, **objective, **shared, validator=validator
    )


def _settings(scene: Scene, learner: str) -> dict[str, Any]:
    # Along a given prefix each step is rewarded by itself; the constant control is not known to be.
    return {"gamma": 0.0, **scene.settings_of(learner)}


def _objective(scene: Scene, control: Control | None) -> dict[str, Any]:
    task = scene.task
    assert task is not None
    weights = task.weights if control is None else controlled(task.weights, control)
    return {"reward": weights, "prefix": task.prefix, "reads_target": task.reads}
