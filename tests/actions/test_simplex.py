"""Shares take the place of attention."""

from __future__ import annotations

import torch

from rlattn.actions.distributions import shares
from rlattn.actions.simplex import Simplex

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


def test_the_mode_is_the_likeliest_and_the_softmax_of_the_scores() -> None:
    scores = torch.randn(2, 4)
    distribution = Simplex().distribution(scores[..., None], MASK)
    mode = distribution.mode()
    expected = scores.masked_fill(~MASK, -torch.inf).softmax(-1)
    assert torch.allclose(shares(mode, MASK), expected, atol=1e-5)
    for _ in range(50):
        assert (distribution.log_prob(distribution.sample()) <= distribution.log_prob(mode)).all()


def test_shares_take_the_place_of_attention() -> None:
    action = torch.tensor([[1.0, -1.0, 0.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
    allocation = Simplex().allocation(action, MASK)
    assert allocation.mode == "replace"
    assert torch.allclose(allocation.values[0], torch.tensor([2 / 3, 0, 1 / 3, 0]))
    assert allocation.values[1].tolist() == [0.5, 0.5, 0, 0], "an action without a share"
    assert Simplex().reads(action, MASK).tolist() == [2.0, 2.0]
