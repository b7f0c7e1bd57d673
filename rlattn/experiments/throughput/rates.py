"""Environments at work: every face of them under random gates that were drawn beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import cycle, islice
from typing import Any

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import DummyVecEnv

from rlattn.envs import TranslationVecEnv, make_core
from rlattn.envs.queue import AHEAD
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Workload

REWARD = {"chrf": 1.0, "reads": -0.1}
"""The quality of each finished sentence against how much was read."""

FIDELITY = {"fidelity": 1.0, "reads": -0.1}
"""How far the steered output strays from the native one: a second forward at every step."""

_ID = "rlattn/Translate-v0"
_ACTIONS = 16  # batches of actions that are drawn
_WARM_UP = 32  # steps at most
_SINGLES = 2  # single environments, whose rate does not depend on how many there are


def env(workload: Workload, lanes: int, reward: Mapping[str, float] | None = None) -> Contestant:
    """Steps of the environment through Stable-Baselines3's interface.

    Args:
        workload: What it runs on.
        lanes: How many sentences advance together.
        reward: Another reward than `REWARD`.
    """
    return _vec_env(workload, lanes, workload.settings(reward or REWARD))


def default_env(workload: Workload, lanes: int) -> Contestant:
    """The same under the reward and the prefix that the training program takes by default."""
    return _vec_env(workload, lanes, workload.settings(None, "host"))


def fidelity(workload: Workload, lanes: int) -> Contestant:
    """The same free-running, with a native twin beside the steered lanes."""
    return _vec_env(workload, lanes, workload.settings(FIDELITY, "free"))


def vector_env(workload: Workload, lanes: int) -> Contestant:
    """Steps through Gymnasium's vector interface, whose observations hold the memories."""
    faced = gymnasium.make_vec(_ID, num_envs=lanes, **workload.settings(REWARD))
    faced.reset(seed=workload.seed)
    return _stepping(faced.step, workload, lanes, AHEAD)


def dummy(workload: Workload, lanes: int) -> Contestant:
    """Steps of single environments, one after the other: what a user would write otherwise."""
    settings = workload.settings(REWARD)
    singles = min(lanes, _SINGLES)
    makers: list[Callable[[], gymnasium.Env[Any, Any]]] = [
        partial(gymnasium.make, _ID, **{**settings, "seed": workload.seed + number})
        for number in range(singles)
    ]
    faced = DummyVecEnv(makers)
    faced.reset()
    return _stepping(faced.step, workload, singles, 1)


def _vec_env(workload: Workload, lanes: int, settings: dict[str, Any]) -> Contestant:
    faced = TranslationVecEnv(make_core(lanes=lanes, **settings))
    faced.reset()
    return _stepping(faced.step, workload, lanes, AHEAD)


def _stepping(
    step: Callable[[np.ndarray], object], workload: Workload, lanes: int, pieces: int
) -> Contestant:
    rng = np.random.default_rng(workload.seed)
    shape = (lanes, workload.limit)
    actions = cycle([rng.integers(0, 2, shape, np.int8) for _ in range(_ACTIONS)])

    def work(steps: int = workload.steps) -> int:
        for action in islice(actions, steps):
            step(action)
        return steps * lanes

    return Contestant(work, pieces, warm_up=lambda: work(min(workload.steps, _WARM_UP)))
