"""Learners on a classifier: one network, one validator and one budget for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rlattn.agents import LabelPoint, Meter, Validator
from rlattn.agents.allocator import keep_freed_memory
from rlattn.agents.best import KeepsBest
from rlattn.agents.start import HALF, begin_at
from rlattn.corpora import Pair
from rlattn.experiments.compare.labels.recorder import LabelEqualReads, LabelRecorder
from rlattn.experiments.compare.labels.scene import LabelScene, reading_of
from rlattn.experiments.compare.learning import POLICY, fresh_policy, steps_for
from rlattn.experiments.compare.scene import Found, Outcome
from rlattn.inference import Readings, TrainedPolicy, load
from rlattn.policy import AttentionPolicy

Learn = Callable[[LabelScene, AttentionPolicy, KeepsBest[Any], int], None]
"""Trains a policy in place for so many environment steps, and has it validated meanwhile."""


def train_label_policy(scene: LabelScene, *, learn: Learn) -> Outcome[LabelPoint]:
    """Trains a policy and keeps the best one, in the run's folder.

    Args:
        scene: What to work with.
        learn: How.
    """
    task = scene.task
    assert task is not None
    keep_freed_memory()  # for all learners, for PPO does so of its own accord

    def attempt(tried: LabelScene, clock: Validator[TrainedPolicy], steps: int) -> None:
        learn(tried, make_label_policy(scene), clock, steps)

    def classify(texts: Sequence[str], policy: TrainedPolicy) -> Readings:
        return policy.classify(texts, scene.host, **scene.limits)

    steps = steps_for(scene, attempt)
    policy, meter = make_label_policy(scene), Meter(scene.host)
    if task.reads is None:
        validator: LabelRecorder[TrainedPolicy] = LabelRecorder(scene, meter, classify)
    else:
        validator = LabelEqualReads(scene, meter, classify, task.reads)
    learn(scene, policy, validator, steps)
    best = validator.best
    assert best is not None
    validator.policy.save(scene.folder / POLICY)
    return Outcome(best, validator.curve, validator.curve[-1].env_steps, meter.spent)


def make_label_policy(scene: LabelScene) -> AttentionPolicy:
    """The network that every learner of a seed starts from, the same for all on one task.

    Gates begin with as much as may be read: where they begin open, all is read after a step or two.
    """
    assert scene.task is not None
    reading = reading_of(scene)
    policy = fresh_policy(scene, scene.task.family, reading.d_state(len(scene.host.labels)))
    begin_at(policy, scene.task.reads or HALF, reading.steps)
    return policy


def write_label_policy(
    scene: LabelScene, found: Found, pairs: Sequence[Pair], trace: bool
) -> Readings:
    """Labels texts under the policy in the run's folder."""
    policy = load(scene.folder / POLICY)
    return policy.classify([pair.source for pair in pairs], scene.host, **scene.limits)
