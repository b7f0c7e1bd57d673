"""Independent parts: their numbers add up."""

from __future__ import annotations

import torch

from rlattn.actions.distributions import DiagonalGaussian, Joint, NonEmptyBernoulli

MASK = torch.tensor([[True, True, True], [True, True, False]])


def test_log_probabilities_and_entropies_are_the_sums_of_the_parts() -> None:
    gates = NonEmptyBernoulli(torch.randn(2, 3), MASK)
    numbers = DiagonalGaussian(torch.randn(2, 2), -torch.ones(2, 2), MASK[:, :2])
    both = Joint([gates, numbers], [3, 2])
    action = both.sample()
    assert action.shape == (2, 5)
    expected = gates.log_prob(action[:, :3]) + numbers.log_prob(action[:, 3:])
    assert torch.allclose(both.log_prob(action), expected)
    assert torch.allclose(both.entropy(), gates.entropy() + numbers.entropy())
    assert torch.equal(both.mode(), torch.cat([gates.mode(), numbers.mode()], dim=1))


def test_the_parts_are_drawn_apart() -> None:
    parts = [NonEmptyBernoulli(torch.zeros(20_000, 2), torch.ones(20_000, 2).bool())] * 2
    drawn = Joint(parts, [2, 2]).sample()
    assert torch.corrcoef(drawn.T)[:2, 2:].abs().max() < 0.04
