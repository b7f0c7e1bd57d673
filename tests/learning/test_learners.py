"""Learners on tasks whose best policy is known, from scratch and from where another one stands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
import torch

from rlattn.agents import (
    Meter,
    PPOSettings,
    ReinforceSettings,
    Validator,
    learn_ppo,
    learn_reinforce,
)
from rlattn.envs.episodes import Prefix
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, translate
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.rewards import Control, WeightSpec, controlled
from tests.learning.local_host import POSITIONS, local_host
from tests.learning.test_alignment import LANES, TASKS

TASK = TASKS["copy"]
PPO = PPOSettings(rollout=8, batch_size=256, learning_rate=4e-3, gamma=0.0)
REINFORCE = ReinforceSettings(rollout=8, learning_rate=5e-3, gamma=0.0)
REWARD = {"fidelity": 1.0, "reads": -2.0}


def policy_for(host: Seq2SeqHost, action: str = "gate", seed: int = 0) -> AttentionPolicy:
    torch.manual_seed(seed)
    return AttentionPolicy(PolicyConfig(action, host.d_model, host.d_state))


def learned(
    host: Seq2SeqHost,
    policy: AttentionPolicy,
    settings: PPOSettings | ReinforceSettings,
    steps: int,
    reward: Mapping[str, WeightSpec] = REWARD,
    prefix: Prefix = "host",
    start: AttentionPolicy | None = None,
) -> Validator:
    write = partial(translate, host, max_source=POSITIONS, max_target=POSITIONS)
    validator = Validator(TASK.pairs(100, seed=3), Meter(host), native_bleu=100.0, translate=write)
    given = {
        "reward": reward,
        "prefix": prefix,
        "steps": steps,
        "validator": validator,
        "every": steps,
        "lanes": LANES,
        "max_source": POSITIONS,
        "max_target": POSITIONS,
        "seed": 0,
        "progress": False,
    }
    pairs = TASK.pairs(1000, seed=1)
    if isinstance(settings, PPOSettings):
        learn_ppo(host, pairs, policy, settings, start=start, **given)
    else:
        learn_reinforce(host, pairs, policy, settings, **given)
    return validator


def found(host: Seq2SeqHost, policy: AttentionPolicy) -> tuple[float, float]:
    """The share of all reads that are of the aligned position, and of outputs that are right."""
    pairs = TASK.pairs(200, seed=2)
    trained = TrainedPolicy(policy, host.name, host.fingerprint)
    output = translate(
        host,
        [pair.source for pair in pairs],
        trained,
        max_source=POSITIONS,
        max_target=POSITIONS,
        trace=True,
    )
    policy.requires_grad_(True)
    opened = [alignment.opened for alignment in output.alignments]
    hits = sum(float(rows.diagonal().sum()) for rows in opened)  # to copy is to read along
    right = [text == pair.target for text, pair in zip(output.texts, pairs, strict=True)]
    return hits / sum(float(rows.sum()) for rows in opened), sum(right) / len(right)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["host", "free"])
def test_reinforce_finds_the_alignment(prefix: Prefix) -> None:
    host = local_host(TASK.aligned)
    policy = policy_for(host)
    assert found(host, policy)[0] < 0.2
    learned(host, policy, REINFORCE, 40_000, prefix=prefix)
    aligned, right = found(host, policy)
    assert aligned > 0.9
    assert right > 0.9


@pytest.mark.slow
def test_a_warm_start_loses_nothing_of_what_was_learned() -> None:
    host = local_host(TASK.aligned)
    start, policy = policy_for(host), policy_for(host, seed=1)
    learned(host, start, PPO, 16_000)
    first, last = learned(host, policy, PPO, 4_000, start=start).curve
    assert first.bleu > 95
    assert last.bleu > 95
    assert found(host, policy)[0] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("control", ["constant", "shuffled"])
def test_a_control_learns_nothing(control: Control) -> None:
    host = local_host(None)  # where the likelihood alone teaches to copy: see test_alignment.py
    policy = policy_for(host, "bias")
    reward = controlled({"likelihood": 1.0}, control)
    learned(host, policy, PPO, 16_000, reward=reward, prefix="reference")
    assert found(host, policy)[1] < 0.1
