"""PPO trains a policy that it is given, from the beginning or from where another one stands."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.agents import (
    Meter,
    PPOSettings,
    Validation,
    Validator,
    begin_with,
    learn,
    learn_ppo,
    make_ppo,
)
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.agents.validations import PAIRS, Script
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE, TARGET, generate, pairs, sentences
from tests.inference.policies import strong

LANES = 6
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=2)
ROLLOUT = LANES * SMALL.rollout
REWARD = {"fidelity": 1.0, "reads": -0.5}


def policy_for(host: Seq2SeqHost, action: str = "gate", seed: int = 0) -> AttentionPolicy:
    torch.manual_seed(seed)
    return AttentionPolicy(PolicyConfig(action, host.d_model, host.d_state, 16))


def learned(
    host: Seq2SeqHost, policy: AttentionPolicy, rollouts: int = 2, **changes: Any
) -> tuple[Validator, Script]:
    script = Script(*[(1, 0.5)] * (rollouts + 1))
    validator = Validator(PAIRS, Meter(host), native_bleu=100.0, translate=script)
    settings: dict[str, Any] = {
        "reward": REWARD,
        "steps": rollouts * ROLLOUT,
        "every": 1,
        "lanes": LANES,
        "max_source": SOURCE,
        "max_target": TARGET,
        "seed": 0,
        "progress": False,
        **changes,
    }
    learn_ppo(host, pairs(40), policy, SMALL, validator=validator, **settings)
    return validator, script


def numbers(policy: AttentionPolicy) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in policy.parameters()])


def test_it_is_the_ppo_that_one_makes_by_hand(host: Seq2SeqHost) -> None:
    policy = policy_for(host)
    ppo = make_ppo(
        AttentionVecEnv(make(host, lanes=LANES)),
        PPOSettings(rollout=8, batch_size=24, epochs=2, width=16),
    )
    ppo.policy.attention.load_state_dict(policy.state_dict())
    script = Script(*[(1, 0.5)] * 3)
    by_hand = Validator(PAIRS, Meter(host), native_bleu=100.0, translate=script)
    learn(ppo, 2 * ROLLOUT, [Validation(by_hand, every=1)], progress=False)
    validator, found = learned(host, policy)
    assert [p.env_steps for p in validator.curve] == [p.env_steps for p in by_hand.curve]
    for ours, theirs in zip(found.policies, script.policies, strict=True):
        assert torch.allclose(numbers(ours.policy), numbers(theirs.policy), atol=1e-5)
    assert torch.allclose(numbers(policy), numbers(ppo.policy.attention), atol=1e-5)
    assert not torch.equal(numbers(policy), numbers(policy_for(host)))


@pytest.mark.parametrize("action", ["gate", "bias", "mix", "topk:2", "per-layer:2:gate"])
def test_a_warm_start_acts_as_what_it_started_from(host: Seq2SeqHost, action: str) -> None:
    start = strong(host, action=action)
    policy = policy_for(host, start.policy.config.action, seed=1)
    judge = [weight.clone() for weight in policy.value.parameters()]
    _, script = learned(host, policy, 1, start=start.policy)
    first = script.policies[0]
    written = []
    for trained in (start, first):
        with trained.steer(host.model, trace=True) as trace:
            output = generate(host, sentences(8))
        written.append((output, torch.stack(trace.attention)))
    assert written[0][0] == written[1][0]
    assert torch.equal(written[0][1], written[1][1])
    assert all(map(torch.equal, first.policy.value.parameters(), judge)), "its own"
    assert not torch.equal(numbers(policy), numbers(first.policy))


def test_what_was_started_from_stays_as_it_is(host: Seq2SeqHost) -> None:
    start = policy_for(host, seed=1)
    before = numbers(start).clone()
    learned(host, policy_for(host), start=start)
    assert torch.equal(numbers(start), before)


def test_policies_of_another_build_are_no_start(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match="make both alike"):
        begin_with(policy_for(host), policy_for(host, "bias"))


def test_a_policy_for_another_host_is_refused(host: Seq2SeqHost) -> None:
    policy = AttentionPolicy(PolicyConfig("gate", 2 * host.d_model, host.d_state, 16))
    with pytest.raises(InputError, match="does not fit host tiny-Marian"):
        learned(host, policy)
