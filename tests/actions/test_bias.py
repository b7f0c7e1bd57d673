"""The bias: a number for each valid position; zero is native."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.actions import make_family
from rlattn.actions.bias import Bias

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


@pytest.mark.parametrize("value", [1e4, -1e4, 0.0])
def test_extreme_outputs_stay_finite_with_their_gradients(value: float) -> None:
    parameters = torch.full((2, 4, 2), value, requires_grad=True)
    distribution = Bias().distribution(parameters, MASK)
    action = distribution.sample().detach()
    numbers = distribution.log_prob(action).sum() + distribution.entropy().sum()
    assert numbers.isfinite()
    numbers.backward()
    assert parameters.grad is not None
    assert parameters.grad.isfinite().all()
    assert not parameters.grad[~MASK].any()


def test_a_zero_action_is_native() -> None:
    allocation = Bias().allocation(torch.zeros(2, 4), MASK)
    assert allocation.mode == "bias"
    assert not allocation.values.any()


def test_actions_are_clipped_and_scaled_and_padding_is_left_alone() -> None:
    action = torch.tensor([[0.5, -1.0, 7.0, -0.25], [-9.0, 0.0, 1.0, -1.0]])
    expected = torch.tensor([[0.5, -1.0, 1.0, -0.25], [-1.0, 0.0, 0.0, 0.0]])
    assert torch.equal(Bias().allocation(action, MASK).values, Bias.SCALE * expected)


def test_a_bias_reads_everything() -> None:
    assert Bias().reads(torch.randn(2, 4), MASK).tolist() == [4.0, 2.0]


def test_an_untrained_policy_stays_close_to_native() -> None:
    family = make_family("bias")
    parameters = torch.tensor(family.initial).expand(2, 4, 2)
    assert not family.distribution(parameters, MASK).mode().any()
    assert family.space(4).contains(np.zeros(4, np.float32))
