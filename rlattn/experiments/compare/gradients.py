"""Learners that go through the frozen host by gradients, and PPO that starts from one of them."""

from __future__ import annotations

from rlattn.agents import GradientSettings, Validator, learn_gradient
from rlattn.experiments.compare.learning import Later, limits
from rlattn.experiments.compare.reinforcement import by_ppo
from rlattn.experiments.compare.scene import Scene
from rlattn.policy import AttentionPolicy


def by_gradient(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy by gradients on what rewards ask for.

    For quality that is the cross-entropy of the reference; for a budget that of the host's own
    choices along its own output, and the reads find the same target.
    """
    task = scene.task
    assert task is not None
    settings = GradientSettings(
        loss="reference" if task.objective == "quality" else "agreement",
        reads_target=task.reads,
        **scene.settings_of("gradient"),
    )
    shared = limits(scene, steps)
    learn_gradient(scene.host, scene.train, policy, settings, **shared, validator=validator)


def by_warm_ppo(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy by gradients for half of the steps, and the best so far by PPO from there.

    A last batch may be larger than what is left; PPO takes no fewer steps than the gradient took.
    """
    by_gradient(scene, policy, validator, max(1, steps // 2))
    taken = validator.curve[-1].env_steps
    start = validator.policy.policy
    by_ppo(scene, policy, Later(validator), max(steps - taken, taken), start=start)
