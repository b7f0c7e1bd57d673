"""Shares: a Dirichlet distribution on the valid positions, on the scale of actions."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Dirichlet

from rlattn.actions.distributions import MaskedDirichlet

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
CONCENTRATION = 1 + torch.rand(2, 4) * 5


def test_density_and_entropy_are_those_of_a_dirichlet_on_a_stretched_scale() -> None:
    ours = MaskedDirichlet(CONCENTRATION, MASK)
    action = ours.sample()
    for lane, length in enumerate((4, 2)):
        theirs = Dirichlet(CONCENTRATION[lane, :length])
        stretch = (length - 1) * math.log(2)
        share = (action[lane, :length] + 1) / 2
        assert share.sum().item() == pytest.approx(1.0, abs=1e-5)
        expected = theirs.log_prob(share / share.sum()) - stretch
        assert torch.allclose(ours.log_prob(action)[lane], expected, atol=1e-3)
        assert torch.allclose(ours.entropy()[lane], theirs.entropy() + stretch, atol=1e-4)


def test_the_density_integrates_to_one() -> None:
    # Two valid positions: one number is free, and the other follows.
    grid = torch.linspace(-1, 1, 20_001, dtype=torch.float64)[1:-1]
    action = torch.stack([grid, -grid], dim=1)
    concentration = torch.tensor([[2.5, 1.7]], dtype=torch.float64).expand(len(grid), -1)
    mask = torch.ones_like(action, dtype=torch.bool)
    density = MaskedDirichlet(concentration, mask).log_prob(action).exp()
    assert torch.trapezoid(density, grid).item() == pytest.approx(1.0, abs=1e-3)


def test_samples_have_the_mean_they_should() -> None:
    torch.manual_seed(0)
    count = 20_000
    many = MaskedDirichlet(CONCENTRATION[:1].expand(count, -1), MASK[:1].expand(count, -1))
    mean = ((many.sample() + 1) / 2).mean(0)
    assert torch.allclose(mean, CONCENTRATION[0] / CONCENTRATION[0].sum(), atol=0.01)


def test_one_position_leaves_no_choice() -> None:
    mask = torch.tensor([[True, False, False]])
    only = MaskedDirichlet(torch.full((1, 3), 3.0), mask)
    assert only.sample().tolist() == only.mode().tolist() == [[1.0, 0.0, 0.0]]
    assert only.log_prob(only.sample()).item() == only.entropy().item() == 0.0
