"""Gradients go from an allocation to what the policy gave, as differences say."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.actions import make_family
from rlattn.agents.relaxed import relaxed
from tests.actions.specs import family_for

MASK = torch.arange(5) < torch.tensor([[5], [3]])


@pytest.mark.parametrize("action", ["bias", "mix", "sharpness", "simplex"])
def test_an_allocation_changes_with_parameters_as_differences_say(action: str) -> None:
    family = make_family(action)
    parameters = torch.randn(2, 5, len(family.initial), dtype=torch.double) / 4

    def given(parameters: Tensor) -> tuple[Tensor, ...]:
        distribution = family.distribution(parameters, MASK)
        allocation = relaxed(family, distribution, MASK, temperature=1.0, noise=False)
        weight = [] if allocation.weight is None else [allocation.weight]
        return allocation.values, *weight

    assert torch.autograd.gradcheck(given, parameters.requires_grad_())


@pytest.mark.parametrize("action", ["gate", "gate:2", "gate:sentence:1"])
def test_gates_are_drawn_hard_and_change_softly(action: str) -> None:
    family = family_for(action, MASK)
    parameters = torch.randn(2, 5, 1, requires_grad=True)
    values = relaxed(
        family, family.distribution(parameters, MASK), MASK, temperature=1.0, noise=False
    ).values
    assert values.unique().tolist() in ([0.0, 1.0], [1.0])
    assert not values[~MASK].any()
    (gradient,) = torch.autograd.grad(values.sum(), parameters)
    assert (gradient[MASK] > 0).all()
    assert not gradient[~MASK].any()


def test_with_noise_what_is_drawn_acts_and_changes_with_its_mean() -> None:
    family = make_family("bias")
    parameters = torch.zeros(2, 5, 2, requires_grad=True)
    distribution = family.distribution(parameters, MASK)
    values = relaxed(family, distribution, MASK, temperature=1.0, noise=True).values
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
        values = relaxed(family, distribution, mask, temperature=1.0, noise=False).values
        assert values.item() == family.SCALE
        (gradient,) = torch.autograd.grad(sign * values.sum(), parameters)
        assert bool(gradient.any()) == moves
