"""The k positions that are drawn are read."""

from __future__ import annotations

import pytest
import torch

from rlattn.actions.distributions import PlackettLuce
from rlattn.actions.topk import TopK


def test_where_there_are_fewer_positions_all_are_drawn() -> None:
    mask = torch.tensor([[True, True, False, False]])
    distribution = PlackettLuce(torch.tensor([[1.0, 2.0, 9.0, 9.0]]), mask, 3)
    assert distribution.mode().tolist() == [[1.0, 0.0, 0.0]]
    one_way, other_way = (torch.tensor([[*order, 0.0]]) for order in ((0.0, 1.0), (1.0, 0.0)))
    both = distribution.log_prob(one_way).exp() + distribution.log_prob(other_way).exp()
    assert both.item() == pytest.approx(1.0, abs=1e-6)
    family = TopK(3)
    assert family.allocation(one_way, mask).values.tolist() == [[True, True, False, False]]
    assert family.reads(one_way, mask).tolist() == [2.0]


def test_indices_that_come_twice_or_lie_beyond_are_legal() -> None:
    mask = torch.tensor([[True, True, True, False]])
    action = torch.tensor([[1.0, 1.0, 3.0]])
    assert TopK(3).allocation(action, mask).values.tolist() == [[False, True, True, False]]
    assert TopK(3).reads(action, mask).tolist() == [2.0]
