"""REINFORCE trains the policy that it is given, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.agents import Meter, ReinforceSettings, Validator, learn_reinforce
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.agents.validations import PAIRS, Script
from tests.hosts.tiny import SOURCE, TARGET, pairs, tiny_host

LANES = 6
SMALL = ReinforceSettings(rollout=8)
ROLLOUT = LANES * SMALL.rollout


def policy_for(host: Seq2SeqHost, action: str = "gate") -> AttentionPolicy:
    torch.manual_seed(5)
    policy = AttentionPolicy(PolicyConfig(action, host.d_model, host.d_state, 16))
    torch.nn.init.constant_(policy.score.bias, 0.5)  # not as sure as they are made
    return policy


def learned(
    host: Seq2SeqHost, policy: AttentionPolicy, rollouts: int = 3, **changes: Any
) -> Validator:
    validator = Validator(
        PAIRS, Meter(host), native_bleu=100.0, translate=Script(*[(1, 0.5)] * (rollouts + 1))
    )
    settings: dict[str, Any] = {
        "reward": {"fidelity": 1.0, "reads": -0.5},
        "steps": rollouts * ROLLOUT,
        "every": 1,
        "lanes": LANES,
        "max_source": SOURCE,
        "max_target": TARGET,
        "seed": 0,
        "progress": False,
        **changes,
    }
    given = settings.pop("settings", SMALL)
    learn_reinforce(host, pairs(40), policy, given, validator=validator, **settings)
    return validator


@pytest.mark.parametrize("action", ["gate", "bias", "gate:2", "per-layer:2:topk:2"])
@pytest.mark.parametrize("prefix", ["host", "free"])
def test_it_changes_what_acts_and_neither_the_host_nor_the_value_network(
    action: str, prefix: str
) -> None:
    host = tiny_host()
    policy, before = policy_for(host, action), host.fingerprint
    weights = {name: weight.clone() for name, weight in policy.state_dict().items()}
    learned(host, policy, prefix=prefix)
    for name, weight in policy.state_dict().items():
        assert torch.equal(weight, weights[name]) == name.startswith("value."), name
        assert weight.isfinite().all()
    assert host.fingerprint == before
    assert host.usage.backwards == 0


def test_both_walks_count_and_validations_are_as_far_apart_as_was_asked(host: Seq2SeqHost) -> None:
    learned(host, policy_for(host), 1)  # what is tried once per host is not what is asked about
    before = host.usage.forwards
    validator = learned(host, policy_for(host), 4, every=2 * ROLLOUT, prefix="free")
    assert [point.env_steps for point in validator.curve] == [0, 2 * ROLLOUT, 4 * ROLLOUT]
    # Free, with native logits beside the steered ones: two forwards a step.
    assert host.usage.forwards - before == 2 * 4 * ROLLOUT


def test_what_is_validated_does_not_learn_on(host: Seq2SeqHost) -> None:
    policy = policy_for(host)
    first = {name: weight.clone() for name, weight in policy.state_dict().items()}
    validator = learned(host, policy)
    kept = validator.policy.policy.state_dict()  # all are as good: the first is kept
    assert all(torch.equal(kept[name], weight) for name, weight in first.items())
    assert all(weight.requires_grad for weight in policy.parameters())


def test_a_seed_fixes_what_is_learned(host: Seq2SeqHost) -> None:
    found = []
    for seed in (1, 1, 2):
        policy = policy_for(host)
        learned(host, policy, seed=seed)
        found.append(torch.cat([weight.flatten() for weight in policy.state_dict().values()]))
    assert torch.allclose(found[0], found[1], atol=1e-4)
    assert not torch.allclose(found[0], found[2], atol=1e-3)


def test_where_every_action_is_worth_the_same_nothing_is_learned(host: Seq2SeqHost) -> None:
    policy = policy_for(host)
    weights = {name: weight.clone() for name, weight in policy.state_dict().items()}
    learned(host, policy, reward={"length": 1.0})
    assert all(torch.equal(weights[name], now) for name, now in policy.state_dict().items())


@pytest.mark.parametrize("updates", [1, 3, 1000])
def test_an_update_may_be_several_gradient_steps(host: Seq2SeqHost, updates: int) -> None:
    policy = policy_for(host)
    learned(host, policy, settings=ReinforceSettings(rollout=8, updates=updates))
    assert all(weight.isfinite().all() for weight in policy.parameters())


def test_entropy_is_paid_for(host: Seq2SeqHost) -> None:
    policy = policy_for(host)
    settings = ReinforceSettings(rollout=8, entropy=1.0, learning_rate=1e-2)
    before = policy.score.bias.item()
    learned(host, policy, 8, settings=settings, reward={"length": 1.0})
    assert abs(policy.score.bias.item()) < before, "log-odds go towards even"


def test_a_policy_for_another_host_is_refused(host: Seq2SeqHost) -> None:
    policy = AttentionPolicy(PolicyConfig("gate", 2 * host.d_model, host.d_state, 16))
    with pytest.raises(InputError, match="does not fit host tiny-Marian: expected action 'gate'"):
        learned(host, policy)
    with pytest.raises(InputError, match="per-layer:2:gate"):
        learned(host, policy_for(host, "per-layer:gate"))
