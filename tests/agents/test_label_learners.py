"""PPO in lanes that read texts trains the policy that it is given."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.agents import (
    LabelValidator,
    Meter,
    PPOSettings,
    Validation,
    learn,
    learn_label_ppo,
    make_ppo,
)
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from tests.envs.texts import labelled, make
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.hosts.tiny import SOURCE

LANES = 4
SMALL = PPOSettings(rollout=8, batch_size=16, epochs=2, width=16)
READING = Reading(3)
REWARD = {"gain": 1.0, "reads": -0.5}


@pytest.fixture(scope="module")
def host() -> ClassifierHost[Any]:
    return small_classifier()


def validator(host: ClassifierHost[Any]) -> LabelValidator:
    return LabelValidator(
        labelled(5),
        Meter(host),
        native_accuracy=50.0,
        classify=lambda texts, policy: policy.classify(texts, host, max_source=SOURCE),
    )


def policy_for(host: ClassifierHost[Any], d_model: int | None = None) -> AttentionPolicy:
    torch.manual_seed(0)
    d_state = READING.d_state(len(LABELS))
    return AttentionPolicy(PolicyConfig("gate", d_model or host.d_model, d_state, 16))


def learned(host: ClassifierHost[Any], policy: AttentionPolicy) -> LabelValidator:
    watching = validator(host)
    learn_label_ppo(
        host,
        labelled(40),
        policy,
        SMALL,
        reward=REWARD,
        reading=READING,
        steps=64,
        validator=watching,
        every=32,
        lanes=LANES,
        max_source=SOURCE,
        seed=0,
        progress=False,
    )
    return watching


def test_it_is_the_ppo_that_one_makes_by_hand(host: ClassifierHost[Any]) -> None:
    policy = policy_for(host)
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=LANES)), SMALL)
    ppo.policy.attention.load_state_dict(policy.state_dict())
    by_hand = validator(host)
    learn(ppo, 64, [Validation(by_hand, every=32)], progress=False)
    found = learned(host, policy)
    assert [point.env_steps for point in found.curve] == [0, 32, 64]
    assert [p.accuracy for p in found.curve] == [p.accuracy for p in by_hand.curve]
    for name, weight in policy.state_dict().items():
        assert torch.allclose(weight, ppo.policy.attention.state_dict()[name], atol=1e-5)


def test_a_policy_for_another_host_is_refused(host: ClassifierHost[Any]) -> None:
    with pytest.raises(InputError, match="does not fit host tiny-Bert: expected action 'gate'"):
        learned(host, policy_for(host, 2 * host.d_model))
