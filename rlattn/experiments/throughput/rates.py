"""Environments at work: every face of them under random gates that were drawn beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle, islice
from typing import Any, Protocol

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from rlattn.envs import AttentionVecEnv
from rlattn.envs.queue import AHEAD
from rlattn.envs.tasks import make_any_core
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Workload

FIDELITY = {"fidelity": 1.0, "reads": -0.1}
"""How far the steered output strays from the native one: a second forward at every step."""

_ACTIONS = 16  # batches of actions that are drawn
_WARM_UP = 32  # steps at most
_SINGLES = 2  # single environments, whose rate does not depend on how many there are


class Steppable(Protocol):
    """What an environment is made of, and how it is stepped."""

    @property
    def id(self) -> str:
        """The task."""

    @property
    def reward(self) -> Mapping[str, float]:
        """The weight of each reward term."""

    @property
    def limit(self) -> int:
        """The longest source, in tokens."""

    @property
    def steps(self) -> int:
        """About how many steps a sentence takes."""

    @property
    def seed(self) -> int:
        """Fixes all that is drawn."""

    def settings(self, reward: Mapping[str, float] | None) -> dict[str, Any]:
        """What an environment is told, by names and numbers alone."""


def env(workload: Steppable, lanes: int) -> Contestant:
    """Steps of the environment through Stable-Baselines3's interface.

    Args:
        workload: What it runs on.
        lanes: How many sentences advance together.
    """
    return _vec_env(workload, lanes, workload.settings(workload.reward))


def default_env(workload: Workload, lanes: int) -> Contestant:
    """The same under the reward and the prefix that the training program takes by default."""
    return _vec_env(workload, lanes, workload.settings(None, "host"))


def fidelity(workload: Workload, lanes: int) -> Contestant:
    """The same free-running, with a native twin beside the steered lanes."""
    return _vec_env(workload, lanes, workload.settings(FIDELITY, "free"))


def vector_env(workload: Steppable, lanes: int) -> Contestant:
    """Steps through Gymnasium's vector interface, whose observations hold the memories."""
    settings = workload.settings(workload.reward)
    faced = gymnasium.make_vec(workload.id, num_envs=lanes, **settings)
    faced.reset(seed=workload.seed)
    return _stepping(faced.step, workload, lanes, AHEAD)


def dummy(workload: Steppable, lanes: int) -> Contestant:
    """Steps of single environments, one after the other: what a user would write otherwise."""
    settings = workload.settings(workload.reward)
    singles = min(lanes, _SINGLES)
    makers: list[Callable[[], gymnasium.Env[Any, Any]]] = [
        partial(gymnasium.make, workload.id, **{**settings, "seed": workload.seed + number})
        for number in range(singles)
    ]
    faced = DummyVecEnv(makers)
    faced.reset()
    return _stepping(faced.step, workload, singles, 1)


def _vec_env(workload: Steppable, lanes: int, settings: dict[str, Any]) -> Contestant:
    faced = AttentionVecEnv(make_any_core(lanes=lanes, **settings))
    faced.reset()
    return _stepping(faced.step, workload, lanes, AHEAD)


def _stepping(
    step: Callable[[np.ndarray], object], workload: Steppable, lanes: int, pieces: int
) -> Contestant:
    rng = np.random.default_rng(workload.seed)
    shape = (lanes, workload.limit)
    actions = cycle([rng.integers(0, 2, shape, np.int8) for _ in range(_ACTIONS)])

    def work(steps: int = workload.steps) -> int:
        for action in islice(actions, steps):
            step(action)
        return steps * lanes

    return Contestant(work, pieces, warm_up=lambda: work(min(workload.steps, _WARM_UP)))
