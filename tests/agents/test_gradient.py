"""What gradients through the host do to a policy, and what they cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from rlattn.actions import make_family
from rlattn.agents import GradientSettings, Validator, learn_gradient
from rlattn.agents.gradient import relaxed
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.actions.specs import family_for
from tests.agents.learners import EVERY, LANES, STEPS, learned
from tests.inference.policies import SENTENCES

MASK = torch.arange(5) < torch.tensor([[5], [3]])


def taught(host: Seq2SeqHost, action: str, **settings: Any) -> Validator:
    return learned(learn_gradient, host, action, GradientSettings(**settings))


@pytest.mark.parametrize("action", ["bias", "mix", "sharpness", "simplex"])
def test_an_allocation_changes_with_parameters_as_differences_say(action: str) -> None:
    family = make_family(action)
    parameters = torch.randn(2, 5, len(family.initial), dtype=torch.double) / 4

    def given(parameters: Tensor) -> tuple[Tensor, ...]:
        distribution = family.distribution(parameters, MASK)
        allocation = relaxed(family, distribution, MASK, GradientSettings())
        weight = [] if allocation.weight is None else [allocation.weight]
        return allocation.values, *weight

    assert torch.autograd.gradcheck(given, parameters.requires_grad_())


@pytest.mark.parametrize("action", ["gate", "gate:2", "gate:sentence:1"])
def test_gates_are_drawn_hard_and_change_softly(action: str) -> None:
    family = family_for(action, MASK)
    parameters = torch.randn(2, 5, 1, requires_grad=True)
    values = relaxed(family, family.distribution(parameters, MASK), MASK, GradientSettings()).values
    assert values.unique().tolist() in ([0.0, 1.0], [1.0])
    assert not values[~MASK].any()
    (gradient,) = torch.autograd.grad(values.sum(), parameters)
    assert (gradient[MASK] > 0).all()
    assert not gradient[~MASK].any()


def test_with_noise_what_is_drawn_acts_and_changes_with_its_mean() -> None:
    family = make_family("bias")
    parameters = torch.zeros(2, 5, 2, requires_grad=True)
    distribution = family.distribution(parameters, MASK)
    values = relaxed(family, distribution, MASK, GradientSettings(noise=True)).values
    assert values[MASK].all()
    (gradient,) = torch.autograd.grad(values.sum(), parameters)
    within = values.detach().abs() < family.SCALE
    assert (gradient[..., 0][MASK & within] == family.SCALE).all()


def test_what_has_gone_too_far_comes_back_and_goes_no_further() -> None:
    family = make_family("bias")
    for sign, moves in ((1.0, True), (-1.0, False)):
        parameters = torch.tensor([[[1.2, -1.0]]], requires_grad=True)
        mask = torch.ones(1, 1, dtype=torch.bool)
        distribution = family.distribution(parameters, mask)
        values = relaxed(family, distribution, mask, GradientSettings()).values
        assert values.item() == family.SCALE
        (gradient,) = torch.autograd.grad(sign * values.sum(), parameters)
        assert bool(gradient.any()) == moves


@pytest.mark.parametrize("action", ["gate", SENTENCES, "bias", "per-layer:mix"])
def test_the_same_seed_gives_the_same_weights(host: Seq2SeqHost, action: str) -> None:
    first, again = (taught(host, action).policy.policy.state_dict() for _ in range(2))
    for name, weight in first.items():
        assert torch.equal(weight, again[name])


def test_it_is_validated_before_during_and_at_the_end(host: Seq2SeqHost) -> None:
    taken = [point.env_steps for point in taught(host, "bias").curve]
    assert taken[0] == 0
    assert taken[-1] >= STEPS
    assert len(taken) == 4
    assert all(later - earlier >= EVERY for earlier, later in pairwise(taken[:-1]))


@pytest.mark.parametrize("loss", ["reference", "agreement"])
def test_every_target_token_is_a_forward_and_a_backward(host: Seq2SeqHost, loss: str) -> None:
    point = taught(host, "bias", loss=loss).curve[-1]
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
