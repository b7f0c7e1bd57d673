"""Learners: one network, one validator and one budget for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any

import torch

from rlattn.actions import make_family
from rlattn.agents import Meter, Point, Spent, Validator
from rlattn.agents.allocator import keep_freed_memory
from rlattn.agents.best import Learned
from rlattn.corpora import Pair
from rlattn.experiments.compare.recorder import EqualReads, Recorder
from rlattn.experiments.compare.scene import AnyHost, Found, Outcome, Scene
from rlattn.experiments.compare.tasks import Task
from rlattn.hosts import Host
from rlattn.inference import TrainedPolicy, Translations, load, translate
from rlattn.policy import AttentionPolicy, PolicyConfig

POLICY = "policy"
"""What a learner leaves in its folder, beside its curve."""

_TRIED = 128
"""Steps of each lane by which the speed of a learner is measured."""

Learn = Callable[[Scene, AttentionPolicy, Validator, int], None]
"""Trains a policy in place for so many environment steps, and has it validated meanwhile."""


def train_policy(
    scene: Scene, *, learn: Learn, action: Callable[[Task], str] = attrgetter("family")
) -> Outcome:
    """Trains a policy and keeps the best one, in the run's folder.

    Args:
        scene: What to work with.
        learn: How.
        action: The action family for a task.
    """
    task = scene.task
    assert task is not None
    keep_freed_memory()  # for all learners, for PPO does so of its own accord
    family = action(task)

    def attempt(tried: Scene, clock: Validator[TrainedPolicy], steps: int) -> None:
        learn(tried, make_policy(scene, family), clock, steps)

    steps = steps_for(scene, attempt)
    policy = make_policy(scene, family)
    meter = Meter(scene.host)
    writes = partial(translate, scene.host, **scene.limits)
    if task.reads is not None and family == task.family:
        validator: Recorder = EqualReads(scene, meter, writes, task.reads)
    else:
        # What is chosen by the family needs no watching: its rounding must not decide what is kept.
        validator = Recorder(scene, meter, writes)
    learn(scene, policy, validator, steps)
    best = validator.best
    assert best is not None
    validator.policy.save(scene.folder / POLICY)
    last = validator.curve[-1]
    return Outcome(best, validator.curve, last.env_steps, meter.spent)


def make_policy(scene: Scene, action: str) -> AttentionPolicy:
    """The network that every learner of a seed starts from, the same for all on one family."""
    return fresh_policy(scene, action, scene.host.d_state)


def fresh_policy(scene: Scene[Any], action: str, d_state: int) -> AttentionPolicy:
    """The network for a host whose state is so wide."""
    host: Host = scene.host
    with torch.random.fork_rng():
        torch.manual_seed(scene.seed)
        spec = make_family(action).fit(host).spec
        return AttentionPolicy(PolicyConfig(spec, host.d_model, d_state)).to(host.device)


def write_policy(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates under the policy in the run's folder."""
    sources = [pair.source for pair in pairs]
    return translate(scene.host, sources, load(scene.folder / POLICY), **scene.limits, trace=trace)


def limits(scene: Scene[Any], steps: int) -> dict[str, Any]:
    """What every learner of `rlattn.agents` is told alike, by name."""
    return {
        "steps": steps,
        "every": max(1, steps // scene.budget.validations),
        "lanes": scene.budget.lanes,
        **scene.limits,
        "seed": scene.seed,
        "progress": False,
    }


class _Clock(Validator[Learned]):
    """Looks at its watch when a validator would translate."""

    def __init__(self) -> None:
        self.curve: list[Point] = []
        self.seconds: list[float] = []

    @property
    def best(self) -> Point:  # type: ignore[override]
        return self.curve[-1]

    def validate(self, policy: Learned, env_steps: int) -> Point:
        self._best_policy = policy
        self.seconds.append(time.monotonic())
        self.curve.append(Point(env_steps, 0.0, 0.0, 1.0, 0.0, Spent()))
        return self.curve[-1]


def steps_for(
    scene: Scene[AnyHost],
    attempt: Callable[[Scene[AnyHost], Validator[Learned], int], object],
) -> int:
    """Environment steps of a training; where minutes are given, by trying a few of them.

    So schedules over the course of a training, as of the learning rate, end with it.

    Args:
        scene: What to work with.
        attempt: Trains anew for so many steps.
    """
    if scene.budget.steps is not None:
        return scene.budget.steps
    assert scene.budget.minutes is not None
    clock, steps = _Clock[Learned](), _TRIED * scene.budget.lanes
    attempt(replace(scene, budget=replace(scene.budget, validations=1)), clock, steps)
    done = clock.curve[-1].env_steps - clock.curve[0].env_steps
    speed = done / (clock.seconds[-1] - clock.seconds[0])
    return max(1, int(60 * scene.budget.minutes * speed))
