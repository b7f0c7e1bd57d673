"""What every task with an id keeps to."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.utils.env_checker import check_env
from stable_baselines3.common.env_checker import check_env as check_env_sb3
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.envs import TASKS, AttentionEnv
from rlattn.envs.registry import is_plain
from rlattn.envs.tasks import make_any_core
from rlattn.errors import ContractError, InputError, closest
from rlattn.rewards import Shuffled

_LANES, _STEPS = 4, 20


def check_task(id: str, **settings: Any) -> None:
    """Makes the environments of a task, and plays some random steps.

    The rules: what makes the task survives JSON; Gymnasium's and Stable-Baselines3's checkers are
    content; the same seed gives the same sentences and rewards; and lanes earn what the same
    sentences earn alone, but for shuffled rewards.

    Args:
        id: As it was registered.
        **settings: What is to differ from the task's own settings.

    Raises:
        ContractError: If it breaks a rule.
        InputError: If there is no such task, or a setting cannot be used.
    """
    if id not in TASKS:
        raise InputError(f"unknown task {id!r}: {closest(id, TASKS)}")
    _check_data({**TASKS[id], **settings}, id)
    _check_checkers(id, settings)
    if _run(id, settings, seed=1) != _run(id, settings, seed=1):
        raise ContractError(f"{id}: the same seed gives another run: seed what is random")
    if not any(
        isinstance(term, Shuffled) for term in _single(id, settings).core.reward.terms.values()
    ):
        _check_lanes(id, settings)


def _single(id: str, settings: dict[str, Any]) -> AttentionEnv:
    env = gymnasium.make(id, **settings).unwrapped
    assert isinstance(env, AttentionEnv)
    return env


def _check_data(settings: dict[str, Any], id: str) -> None:
    for name, value in settings.items():
        if not is_plain(value):
            raise ContractError(f"{id}: {name}={value!r} does not survive JSON: give plain data")


def _check_checkers(id: str, settings: dict[str, Any]) -> None:
    env = _single(id, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for checker, who in ((check_env, "Gymnasium"), (check_env_sb3, "Stable-Baselines3")):
            try:
                checker(env)
            except (AssertionError, ValueError, TypeError, Warning) as error:
                raise ContractError(f"{id}: {who}'s check_env says: {error}") from error


def _run(id: str, settings: dict[str, Any], seed: int) -> list[tuple[str, float, bool]]:
    """Sentence, reward and end of some random steps."""
    env = _single(id, settings)
    env.action_space.seed(0)
    env.reset(seed=seed)
    steps = []
    for _ in range(_STEPS):
        source = env.core.pair(0).source
        _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
        steps.append((source, round(reward, 6), terminated or truncated))
        if terminated or truncated:
            env.reset()
    return steps


def _check_lanes(id: str, settings: dict[str, Any]) -> None:
    """Plays the sentences that came to their end in lanes again, each alone."""
    settings = {**TASKS[id], **settings}
    core = make_any_core(**settings, lanes=_LANES)
    space = core.family.space(core.max_source)
    space.seed(0)
    core.reset(0)
    at: list[tuple[Pair, list[Tensor]]] = [(core.pair(lane), []) for lane in range(_LANES)]
    for _ in range(_STEPS):
        taken = torch.as_tensor(np.stack([np.asarray(space.sample()) for _ in range(_LANES)]))
        transition = core.step(taken.float())
        summaries = iter(transition.summaries)
        for lane, done in enumerate(transition.terminated | transition.truncated):
            at[lane][1].append(taken[lane : lane + 1].float())
            if done:
                _check_alone(id, settings, *at[lane], next(summaries))
                at[lane] = core.pair(lane), []


def _check_alone(
    id: str,
    settings: dict[str, Any],
    pair: Pair,
    actions: list[Tensor],
    beside: dict[str, float],
) -> None:
    alone = make_any_core(**settings, lanes=1).over([pair], lanes=1)
    alone.reset(0)
    summaries: list[dict[str, float]] = []
    for action in actions:
        if summaries:
            break
        summaries = alone.step(action).summaries
    # Not the total: weights may change from one sentence to the next.
    found = summaries[0] if summaries else {"l": float("nan")}
    for name in beside.keys() - {"r"}:
        ours, theirs = beside[name], found.get(name, float("nan"))
        if not abs(ours - theirs) <= 1e-3 * max(1.0, abs(ours)):
            raise ContractError(
                f"{id}: over the sentence {pair.source!r}, {name} comes to {ours:.6g} beside other "
                f"lanes, and to {theirs:.6g} alone: it must not depend on them"
            )
