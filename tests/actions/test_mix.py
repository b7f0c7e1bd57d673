"""Mix: what is kept of native attention, and the shares that take the place of the rest."""

from __future__ import annotations

import pytest
import torch

from rlattn.actions.distributions import shares
from rlattn.actions.mix import Mix

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


def test_one_keeps_everything_and_minus_one_nothing() -> None:
    action = torch.tensor([[1.0, 1, -1, -1, 0], [-1, -1, 1, 1, 1], [0.5, 0, 0, 0, 0], [-7] * 5])
    mask = MASK[[0, 1, 0, 0]]
    allocation = Mix().allocation(action, mask)
    assert allocation.mode == "mix"
    assert allocation.weight.tolist() == [0.0, 1.0, 0.25, 1.0]
    assert torch.equal(allocation.values, shares(action[:, 1:], mask))


def test_what_is_kept_reads_everything_and_shares_read_where_they_are() -> None:
    action = torch.tensor([[1.0, 1, -1, -1, -1], [-1, -1, 1, 1, 1], [-0.9, 1, -1, -1, -1]])
    assert Mix().opened(action, MASK[[0, 1, 0]]).int().tolist() == [
        [1, 1, 1, 1],
        [0, 1, 0, 0],
        [1, 1, 1, 1],
    ]


def test_a_position_is_open_only_if_something_may_be_read_there() -> None:
    # So close to nothing that the weight rounds to one.
    action = torch.tensor([[-1.0 + 2**-24, 1, -1, -1, -1]])
    allocation = Mix().allocation(action, MASK[:1])
    assert allocation.weight.item() == 1.0
    assert Mix().reads(action, MASK[:1]).item() == 1.0


def test_the_density_integrates_to_one_and_the_entropy_is_the_expected_surprise() -> None:
    # Two valid positions: one share is free, and the other follows.
    parameters = torch.tensor([[[0.4, 0.2, -1.1], [-0.3, -0.6, -0.7]]], dtype=torch.float64)
    kept = torch.linspace(-4, 4, 401, dtype=torch.float64)
    share = torch.linspace(-1, 1, 2001, dtype=torch.float64)[1:-1]
    action = torch.cartesian_prod(kept, share)
    action = torch.cat([action, -action[:, 1:]], dim=1)
    count = len(action)
    distribution = Mix().distribution(
        parameters.expand(count, -1, -1), torch.ones(count, 2, dtype=torch.bool)
    )
    log_prob = distribution.log_prob(action).reshape(len(kept), len(share))

    def integral(values: torch.Tensor) -> float:
        return torch.trapezoid(torch.trapezoid(values, share), kept).item()

    assert integral(log_prob.exp()) == pytest.approx(1.0, abs=2e-3)
    surprise = integral(-log_prob.exp() * log_prob)
    assert surprise == pytest.approx(distribution.entropy()[0].item(), abs=5e-3)
    # The mode of the shares is that of their own density; both parts are at their best together.
    best = action[log_prob.argmax()]
    assert torch.allclose(best, distribution.mode()[0], atol=0.02)


def test_before_it_has_learned_half_is_kept_and_the_rest_is_even() -> None:
    family = Mix()
    mode = family.distribution(torch.tensor(family.initial).expand(2, 4, 3), MASK).mode()
    allocation = family.allocation(mode, MASK)
    assert allocation.weight.tolist() == [0.5, 0.5]
    even = MASK / MASK.sum(-1, keepdim=True)
    assert torch.allclose(allocation.values, even, atol=1e-6)
