"""Learners that go through a frozen classifier by gradients, and PPO that starts from one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rlattn.agents import (
    LabelGradientSettings,
    LabelPoint,
    LabelWeights,
    Meter,
    WeightsSettings,
    learn_label_gradient,
    learn_label_weights,
)
from rlattn.agents.allocator import keep_freed_memory
from rlattn.agents.best import KeepsBest
from rlattn.corpora import Pair
from rlattn.experiments.compare.gradients import batched
from rlattn.experiments.compare.labels.recorder import LabelRecorder
from rlattn.experiments.compare.labels.reinforcement import PRICE, by_ppo
from rlattn.experiments.compare.labels.scene import LabelScene, reading_of
from rlattn.experiments.compare.learning import steps_for
from rlattn.experiments.compare.recorder import Later
from rlattn.experiments.compare.scene import Found, Outcome
from rlattn.inference import Readings
from rlattn.policy import AttentionPolicy


def by_gradient(
    scene: LabelScene, policy: AttentionPolicy, validator: KeepsBest[Any], steps: int
) -> None:
    """Trains a policy by gradients on what rewards ask for.

    That is the cross-entropy of labels; for a budget, reads find the same target at the same price.
    """
    task = scene.task
    assert task is not None
    chosen, shared = batched(scene, "gradient", steps)
    price = chosen.pop("reads_price", PRICE)
    if task.reads is not None:
        chosen |= {"reads_target": task.reads, "reads_price": price / task.reads}
    learn_label_gradient(
        scene.host,
        scene.train,
        policy,
        LabelGradientSettings(**chosen),
        reading=reading_of(scene),
        validator=validator,
        **shared,
    )


def by_warm_ppo(
    scene: LabelScene, policy: AttentionPolicy, validator: KeepsBest[Any], steps: int
) -> None:
    """Trains a policy by gradients for half of the steps, and the best so far by PPO from there.

    A last batch may be larger than what is left; PPO takes no fewer steps than the gradient took.
    """
    by_gradient(scene, policy, validator, max(1, steps // 2))
    taken = validator.curve[-1].env_steps
    start = validator.policy.policy
    by_ppo(scene, policy, Later(validator), max(steps - taken, taken), start=start)


def train_label_weights(scene: LabelScene) -> Outcome[LabelPoint]:
    """Learns a vector that gives attention to what the tokens of a text hold."""
    keep_freed_memory()

    def learn(scene: LabelScene, validator: KeepsBest[Any, LabelWeights], steps: int) -> None:
        chosen, shared = batched(scene, "weights", steps)
        settings = WeightsSettings(**chosen)
        learn_label_weights(scene.host, scene.train, settings, **shared, validator=validator)

    steps = steps_for(scene, learn)
    meter = Meter(scene.host)
    validator = LabelRecorder[LabelWeights](scene, meter, lambda texts, vector: vector(texts))
    learn(scene, validator, steps)
    best, curve = validator.best, validator.curve
    assert best is not None
    found = {"vector": validator.policy.vector.tolist()}
    return Outcome(best, curve, curve[-1].env_steps, meter.spent, found)


def write_label_weights(
    scene: LabelScene, found: Found, pairs: Sequence[Pair], trace: bool
) -> Readings:
    """Labels texts with the vector."""
    vector = torch.tensor(found["vector"], device=scene.host.device)
    return LabelWeights(scene.host, vector, **scene.limits)([pair.source for pair in pairs])
