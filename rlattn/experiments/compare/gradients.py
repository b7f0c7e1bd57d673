"""Learners that go through the frozen host by gradients, and PPO that starts from one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rlattn.agents import (
    GradientSettings,
    IndexerSettings,
    Meter,
    Validator,
    WeightsSettings,
    WeightVector,
    learn_gradient,
    learn_indexer,
    learn_weights,
)
from rlattn.agents.allocator import keep_freed_memory
from rlattn.corpora import Pair
from rlattn.experiments.compare.learning import limits, steps_for
from rlattn.experiments.compare.recorder import Later, Recorder
from rlattn.experiments.compare.reinforcement import by_ppo
from rlattn.experiments.compare.scene import Found, Outcome, Scene
from rlattn.experiments.compare.tasks import Task
from rlattn.inference import Translations
from rlattn.policy import AttentionPolicy

_PRICE = 0.15
"""The most that reading as much as the target costs, in nats a token."""

_LANES = 16
"""Sentences in a batch, each of which is a gradient step: the learners' own default."""


def by_gradient(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy by gradients on what rewards ask for.

    That is the cross-entropy of references; for a budget, reads find the same target.
    """
    task = scene.task
    assert task is not None
    chosen, shared = batched(scene, "gradient", steps)
    price = chosen.pop("reads_price", _PRICE)
    if task.reads is not None:
        chosen |= {"reads_target": task.reads, "reads_price": price / task.reads}
    settings = GradientSettings(**chosen)
    learn_gradient(scene.host, scene.train, policy, settings, **shared, validator=validator)


def by_indexing(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy to point where native attention looks, and to keep its share."""
    chosen, shared = batched(scene, "indexer", steps)
    settings = IndexerSettings(**chosen)
    learn_indexer(scene.host, scene.train, policy, settings, **shared, validator=validator)


def share(task: Task) -> str:
    """The family of an indexer: as many positions as the task lets it read."""
    assert task.reads is not None
    return f"topk:{100 * task.reads:g}%"


def train_weights(scene: Scene) -> Outcome:
    """Learns a vector that gives attention to what sources hold, the same at every step."""
    keep_freed_memory()

    def learn(scene: Scene, validator: Validator[WeightVector], steps: int) -> None:
        chosen, shared = batched(scene, "weights", steps)
        settings = WeightsSettings(**chosen)
        learn_weights(scene.host, scene.train, settings, **shared, validator=validator)

    steps = steps_for(scene, learn)
    meter = Meter(scene.host)
    validator = Recorder[WeightVector](scene, meter, lambda texts, vector: vector(texts))
    learn(scene, validator, steps)
    best, curve = validator.best, validator.curve
    assert best is not None
    found = {"vector": validator.policy.vector.tolist()}
    return Outcome(best, curve, curve[-1].env_steps, meter.spent, found)


def write_weights(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates with the vector; where it looked is not kept."""
    vector = torch.tensor(found["vector"], device=scene.host.device)
    return WeightVector(scene.host, vector, **scene.limits)([pair.source for pair in pairs])


def batched(scene: Scene[Any], learner: str, steps: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a learner, and what all learners are told; its batches may have a size."""
    chosen = {"lanes": _LANES, **scene.settings_of(learner)}
    return chosen, {**limits(scene, steps), "lanes": chosen.pop("lanes")}


def by_warm_ppo(scene: Scene, policy: AttentionPolicy, validator: Validator, steps: int) -> None:
    """Trains a policy by gradients for half of the steps, and the best so far by PPO from there.

    A last batch may be larger than what is left; PPO takes no fewer steps than the gradient took.
    """
    by_gradient(scene, policy, validator, max(1, steps // 2))
    taken = validator.curve[-1].env_steps
    start = validator.policy.policy
    by_ppo(scene, policy, Later(validator), max(steps - taken, taken), start=start)
