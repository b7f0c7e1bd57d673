"""On a GPU lanes write what they write on the CPU, and PPO learns there."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from rlattn.agents import PPOSettings, learn, make_ppo
from rlattn.envs import AttentionVecEnv
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import make, play

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")


def on_gpu(host: Seq2SeqHost) -> Seq2SeqHost:
    return Seq2SeqHost(deepcopy(host.model).to("cuda"), host.tokenizer, host.name)


@pytest.mark.parametrize("prefix", ["free", "reference", "host"])
def test_rewards_are_those_of_the_cpu(each_host: Seq2SeqHost, prefix: str) -> None:
    reward = {"agreement": 1.0, "fidelity": 0.1, "chrf": 1.0, "reads": -0.5}
    here, there = (
        play(make(host, prefix=prefix, reward=reward), 40)
        for host in (each_host, on_gpu(each_host))
    )
    assert [episode.pair for episode in here] == [episode.pair for episode in there]
    for ours, theirs in zip(here, there, strict=True):
        assert np.allclose(ours.rewards, theirs.rewards, atol=1e-3)


def test_only_what_is_compact_leaves_the_gpu(host: Seq2SeqHost) -> None:
    core = make(on_gpu(host))
    core.reset()
    assert core.memory().is_cuda
    seen = AttentionVecEnv(core).reset()
    assert "memory" not in seen
    assert all(isinstance(value, np.ndarray) for value in seen.values())


def test_ppo_learns_on_a_gpu(host: Seq2SeqHost) -> None:
    settings = PPOSettings(rollout=8, batch_size=24, width=16)
    ppo = make_ppo(AttentionVecEnv(make(on_gpu(host))), settings, device="cuda")
    before = [weight.detach().clone() for weight in ppo.policy.parameters()]
    learn(ppo, 24, [], progress=False)
    assert all(weight.is_cuda for weight in ppo.policy.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, ppo.policy.parameters(), strict=True))
