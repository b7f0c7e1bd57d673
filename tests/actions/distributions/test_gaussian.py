"""Independent normal numbers on the valid positions."""

from __future__ import annotations

import math

import torch
from torch.distributions import Normal

from rlattn.actions.distributions import DiagonalGaussian

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
MEAN, LOG_STD = torch.randn(2, 4), torch.rand(2, 4) - 1.5


def test_density_and_entropy_are_those_of_independent_normals() -> None:
    ours, theirs = DiagonalGaussian(MEAN, LOG_STD, MASK), Normal(MEAN, LOG_STD.exp())
    action = torch.randn(2, 4)
    log_prob = (theirs.log_prob(action) * MASK).sum(-1)
    assert torch.allclose(ours.log_prob(action), log_prob, atol=1e-5)
    assert torch.allclose(ours.entropy(), (theirs.entropy() * MASK).sum(-1), atol=1e-5)


def test_padding_enters_nothing() -> None:
    wild = MEAN.masked_fill(~MASK, 1e30), LOG_STD.masked_fill(~MASK, -1e30)
    plain, padded = DiagonalGaussian(MEAN, LOG_STD, MASK), DiagonalGaussian(*wild, MASK)
    action = torch.randn(2, 4)
    wilder = action.masked_fill(~MASK, -1e30)
    assert torch.equal(padded.log_prob(wilder), plain.log_prob(action))
    assert torch.equal(padded.entropy(), plain.entropy())
    assert not padded.mode()[~MASK].any()
    assert not padded.sample()[~MASK].any()
    narrow = DiagonalGaussian(MEAN[:, :2], LOG_STD[:, :2], MASK[:, :2])
    assert torch.allclose(narrow.log_prob(action[:, :2])[1], plain.log_prob(action)[1])


def test_samples_have_the_mean_and_spread_they_should() -> None:
    count = 20_000
    distribution = DiagonalGaussian(
        MEAN[:1].expand(count, -1), LOG_STD[:1].expand(count, -1), MASK[:1].expand(count, -1)
    )
    drawn = distribution.sample()
    spread = LOG_STD[0].exp()
    assert ((drawn.mean(0) - MEAN[0]).abs() < 5 * spread / math.sqrt(count)).all()
    assert torch.allclose(drawn.std(0), spread, rtol=0.05)
    assert torch.equal(distribution.mode(), MEAN[:1].expand(count, -1))
