"""Sharpness: one factor on the attention logits, and no more."""

from __future__ import annotations

import pytest
import torch
from torch.distributions import Normal

from rlattn.actions.sharpness import Sharpness

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


def test_the_factor_is_a_power_and_zero_is_native() -> None:
    action = torch.tensor([[-1.0], [0.0], [0.5], [1.0], [7.0], [-9.0]])
    mask = torch.ones(6, 3, dtype=torch.bool)
    allocation = Sharpness().allocation(action, mask)
    assert allocation.mode == "scale"
    most = Sharpness.RANGE
    expected = torch.tensor([1 / most, 1.0, most**0.5, most, most, 1 / most])
    assert torch.allclose(allocation.values, expected[:, None].expand(6, 3))
    assert torch.equal(Sharpness().reads(action, mask), torch.full((6,), 3.0))


def test_the_density_is_that_of_a_normal_whose_parameters_are_means_over_the_source() -> None:
    parameters = torch.rand(2, 4, 2) - 1
    distribution = Sharpness().distribution(parameters, MASK)
    grid = torch.linspace(-12, 12, 24_001)
    for lane, length in enumerate((4, 2)):
        mean, log_std = parameters[lane, :length].mean(0)
        theirs = Normal(mean, log_std.exp())
        ours = torch.stack([distribution.log_prob(torch.full((2, 1), x))[lane] for x in grid[::99]])
        assert torch.allclose(ours, theirs.log_prob(grid[::99]), rtol=1e-4, atol=1e-4)
        many = Sharpness().distribution(
            parameters[lane, None].expand(len(grid), -1, -1), MASK[lane].expand(len(grid), -1)
        )
        density = many.log_prob(grid[:, None]).exp()
        assert torch.trapezoid(density, grid).item() == pytest.approx(1.0, abs=1e-3)
        surprise = -torch.trapezoid(density * many.log_prob(grid[:, None]), grid)
        assert surprise.item() == pytest.approx(distribution.entropy()[lane].item(), abs=1e-3)
        assert distribution.mode()[lane].item() == pytest.approx(mean.item(), abs=1e-6)


def test_samples_have_the_mean_and_spread_they_should() -> None:
    parameters = torch.tensor([0.3, -1.2]).expand(20_000, 4, 2)
    drawn = Sharpness().distribution(parameters, MASK[:1].expand(20_000, -1)).sample()
    assert drawn.mean().item() == pytest.approx(0.3, abs=0.015)
    assert drawn.std().log().item() == pytest.approx(-1.2, abs=0.03)


def test_before_it_has_learned_attention_is_native() -> None:
    family = Sharpness()
    mode = family.distribution(torch.tensor(family.initial).expand(2, 4, 2), MASK).mode()
    assert torch.equal(family.allocation(mode, MASK).values, torch.ones(2, 4))
