"""The k positions that are drawn are read."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.actions import make_family
from rlattn.actions.distributions import PlackettLuce
from rlattn.actions.topk import TopK
from rlattn.agents.rules.counts import counts_for


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


def test_a_share_keeps_as_many_as_it_is_of_each_source() -> None:
    mask = torch.arange(10) < torch.tensor([[10], [4], [1]])
    family = TopK(percent=30)
    action = family.distribution(torch.randn(3, 10, 1), mask).sample()
    assert action.shape == (3, 3)
    assert family.reads(action, mask).tolist() == [3.0, 1.0, 1.0]
    assert not (family.opened(action, mask) & ~mask).any()


@pytest.mark.parametrize("percent", [5, 30, 62.5, 100])
def test_a_share_is_rounded_as_the_rule_of_equal_reads_rounds(percent: float) -> None:
    lengths = np.array([1, 2, 3, 7, 9, 11, 23, 39])
    family = TopK(percent=percent)
    kept = np.array([family.size(length) for length in lengths])
    # The rule finds the least share that reads as much on average.
    assert counts_for(lengths, np.mean(kept / lengths)).tolist() == kept.tolist()


def test_a_share_stands_in_its_spec() -> None:
    assert make_family("topk:12.5%").spec == "topk:12.5%"
    assert make_family("topk:30.0%").spec == "topk:30%"
    assert make_family("per-layer:2:topk:30%").spec == "per-layer:2:topk:30%"


def test_entropy_and_probabilities_of_a_share_are_those_of_as_many() -> None:
    mask = torch.arange(6) < torch.tensor([[6], [4]])
    scores = torch.randn(2, 6, 1)
    both = TopK(percent=50).distribution(scores, mask)
    action = both.mode()
    for lane, k in enumerate((3, 2)):
        one = slice(lane, lane + 1)
        alone = TopK(k).distribution(scores[one], mask[one])
        assert torch.equal(alone.mode(), action[one, :k])
        assert torch.equal(alone.log_prob(action[one, :k]), both.log_prob(action)[one])
