"""Each broken rule of a task is found and said; what keeps all rules passes."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import rlattn
from rlattn.envs import TASKS
from rlattn.errors import ContractError, InputError
from rlattn.rewards import Step, register_reward
from rlattn.testing import check_task

pytestmark = pytest.mark.usefixtures("_registered_only_here")


@pytest.mark.parametrize("id", list(TASKS))
def test_every_task_that_ships_keeps_the_rules(own_task: dict[str, Any], id: str) -> None:
    check_task(id, **own_task)


def test_rewards_that_change_with_time_keep_the_rules(task: dict[str, Any]) -> None:
    weights = {
        "reads": {"start": 0.0, "end": -1.0, "steps": 100},
        "latency": {"target": 0.3, "sentences": 2},
        "shuffled:chrf": 1.0,
    }
    rlattn.register_task("mine/Changing-v0", **task, reward=weights)
    check_task("mine/Changing-v0")


def test_lanes_that_look_at_each_other_are_found(task: dict[str, Any]) -> None:
    @register_reward
    def rank(step: Step) -> Tensor:
        return step.reads_fraction.argsort().argsort().float()

    rlattn.register_task("mine/Ranked-v0", **task, reward={"rank": 1.0})
    with pytest.raises(ContractError, match=r"mine/Ranked-v0: .*reward_rank comes to .* alone"):
        check_task("mine/Ranked-v0")


def test_chance_without_a_seed_is_found(task: dict[str, Any]) -> None:
    @register_reward
    def luck(step: Step) -> Tensor:
        return torch.rand(len(step.token))

    rlattn.register_task("mine/Lucky-v0", **task, reward={"luck": 1.0})
    with pytest.raises(ContractError, match=r"mine/Lucky-v0: .*(same seed|check_env says)"):
        check_task("mine/Lucky-v0")


def test_settings_that_are_no_plain_data_are_found(task: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"seed=.* does not survive JSON"):
        check_task("rlattn/Translate-v0", **task, seed=object())


def test_an_unknown_task_is_no_broken_rule() -> None:
    with pytest.raises(InputError, match="did you mean 'rlattn/Translate-v0'"):
        check_task("rlattn/Translate-v1")
