"""k positions: everything about their distribution agrees with counting all ordered draws."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from rlattn.actions.distributions import PlackettLuce

SCORES = [0.5, -1.0, 1.5, 0.0]
EVERY_K = pytest.mark.parametrize("k", [1, 2, 3, 4])


def every_draw(k: int) -> Tensor:
    return torch.tensor(list(itertools.permutations(range(len(SCORES)), k))).float()


def probabilities(k: int) -> Tensor:
    """The probability of each of `every_draw`, by the definition."""
    weights = torch.tensor(SCORES, dtype=torch.float64).exp()
    result = []
    for draw in every_draw(k).long().tolist():
        left, probability = weights.clone(), 1.0
        for index in draw:
            probability *= float(left[index] / left.sum())
            left[index] = 0.0
        result.append(probability)
    return torch.tensor(result, dtype=torch.float64)


def draws(k: int, lanes: int = 1, padding: int = 2) -> PlackettLuce:
    """Lanes with the same scores, and nonsense on padding."""
    row = torch.tensor([*SCORES, *[9.0] * padding])
    return PlackettLuce(
        row.expand(lanes, -1), (torch.arange(len(row)) < len(SCORES)).expand(lanes, -1), k
    )


@EVERY_K
def test_density_is_that_of_drawing_one_after_the_other(k: int) -> None:
    every = every_draw(k)
    density = draws(k, len(every)).log_prob(every).double().exp()
    assert torch.allclose(density, probabilities(k), rtol=1e-5)
    assert density.sum().item() == pytest.approx(1.0, abs=1e-5)


@EVERY_K
def test_the_mode_is_the_likeliest_draw(k: int) -> None:
    assert torch.equal(draws(k).mode()[0], every_draw(k)[probabilities(k).argmax()])


@EVERY_K
def test_the_entropy_is_right_on_average_and_so_is_its_gradient(k: int) -> None:
    torch.manual_seed(0)
    lanes, exact = 40_000, probabilities(k)
    scores = torch.tensor(SCORES, requires_grad=True)
    mask = torch.ones(lanes, len(SCORES), dtype=torch.bool)
    estimate = PlackettLuce(scores.expand(lanes, -1), mask, k).entropy()
    expected = -(exact * exact.log()).sum().item()
    assert estimate.mean().item() == pytest.approx(expected, abs=0.02)
    if k == 1:
        assert estimate.std() < 1e-5
    (gradient,) = torch.autograd.grad(estimate.mean(), scores)
    every = every_draw(k)
    shared = torch.ones(len(every), len(SCORES), dtype=torch.bool)
    log_prob = PlackettLuce(scores.expand(len(every), -1), shared, k).log_prob(every)
    (analytic,) = torch.autograd.grad(-(log_prob.exp() * log_prob).sum(), scores)
    assert torch.allclose(gradient, analytic, atol=0.03)


@EVERY_K
def test_samples_are_as_frequent_as_they_are_probable(k: int) -> None:
    torch.manual_seed(0)
    count, every = 40_000, every_draw(k)
    drawn = draws(k, count).sample()
    seen = (drawn[:, None] == every).all(-1).double().mean(0)
    assert seen.sum() == pytest.approx(1.0), "without replacement, and never on padding"
    assert torch.allclose(seen, probabilities(k), atol=5 * (0.25 / count) ** 0.5)
