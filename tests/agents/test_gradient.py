"""What gradients through the host do to a policy, and what they cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch

from rlattn.agents import GradientSettings, Validator, learn_gradient
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy
from tests.agents.learners import EVERY, LANES, STEPS, learned
from tests.inference.policies import SENTENCES


def taught(host: Seq2SeqHost, action: str, **settings: Any) -> tuple[AttentionPolicy, Validator]:
    return learned(learn_gradient, host, action, GradientSettings(**settings))


@pytest.mark.parametrize("action", ["gate", SENTENCES, "bias", "per-layer:mix"])
def test_the_same_seed_gives_the_same_weights(host: Seq2SeqHost, action: str) -> None:
    first, again = (taught(host, action)[0].state_dict() for _ in range(2))
    for name, weight in first.items():
        assert torch.equal(weight, again[name])
    start = taught(host, action, learning_rate=0.0)[0].state_dict()
    assert any(not torch.equal(weight, start[name]) for name, weight in first.items())


def test_what_gates_do_to_the_loss_is_bounded(host: Seq2SeqHost) -> None:
    # Where they do nothing to it, and cost nothing, there is nothing to learn.
    start = taught(host, "gate", learning_rate=0.0)[0].state_dict()
    for name, weight in taught(host, "gate", bound=0.0)[0].state_dict().items():
        assert torch.equal(weight, start[name])


def test_it_is_validated_before_during_and_at_the_end(host: Seq2SeqHost) -> None:
    taken = [point.env_steps for point in taught(host, "bias")[1].curve]
    assert taken[0] == 0
    assert taken[-1] >= STEPS
    assert len(taken) == 4
    assert all(later - earlier >= EVERY for earlier, later in pairwise(taken[:-1]))


@pytest.mark.parametrize("loss", ["reference", "agreement"])
def test_every_target_token_is_a_forward_and_a_backward(host: Seq2SeqHost, loss: str) -> None:
    point = taught(host, "bias", loss=loss)[1].curve[-1]
    assert point.spent.backwards == point.env_steps
    if loss == "reference":
        assert point.spent.forwards == point.env_steps
    else:
        assert point.spent.forwards > point.env_steps, "the host writes its own output first"
    assert point.spent.encoded % LANES == 0


@pytest.mark.parametrize("loss", ["reference", "agreement"])
def test_the_host_stays_as_it_is(host: Seq2SeqHost, loss: str) -> None:
    before = {name: weight.clone() for name, weight in host.model.state_dict().items()}
    taught(host, "gate", loss=loss, reads_weight=-0.1)
    for name, weight in host.model.state_dict().items():
        assert torch.equal(weight, before[name])
    assert all(weight.grad is None for weight in host.model.parameters())


@pytest.mark.parametrize("action", ["position", "topk:2", "window", "per-layer:gate"])
def test_choices_among_positions_are_refused(host: Seq2SeqHost, action: str) -> None:
    with pytest.raises(InputError, match=r"has no gradient: use bias, mix, sharpness, simplex"):
        taught(host, action)


def test_reads_cost_gates_alone(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match="by gates alone"):
        taught(host, "bias", reads_target=0.3)
