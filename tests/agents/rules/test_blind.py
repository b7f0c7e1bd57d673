"""Rules that look at nothing: equal weights, drawn weights, and a gate along the diagonal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.agents.rules import Diagonal, Random, Uniform, length_ratio
from rlattn.corpora import Pair
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import Allocation
from tests.agents.rules.limits import LIMITS, lengths, seen


def weights_of(allocation: Allocation, mask: torch.Tensor) -> torch.Tensor:
    """What is left of weights beside padding."""
    assert allocation.mode == "replace"
    kept = allocation.values * mask
    return kept / kept.sum(-1, keepdim=True)


def test_uniform_weights_are_equal_beside_padding() -> None:
    mask = lengths(4, 2)
    weights = weights_of(Uniform().allocation(seen(mask)), mask)
    assert weights.tolist() == [[0.25] * 4, [0.5, 0.5, 0.0, 0.0]]


def test_random_weights_depend_on_sentence_step_and_seed_and_not_on_batch_or_padding() -> None:
    keys = np.array([17, 4], np.uint64)
    mask = lengths(5, 3)
    both = Random(1).allocation(seen(mask, step=2, keys=keys)).values
    alone = Random(1).allocation(seen(lengths(3), step=2, keys=keys[1:])).values
    assert torch.equal(both[1, :3], alone[0])
    for rule, step, key in (
        (Random(2), 2, 4),
        (Random(1), 3, 4),
        (Random(2), 1, 4),
        (Random(1), 2, 5),
    ):
        other = rule.allocation(seen(lengths(3), step=step, keys=np.array([key], np.uint64)))
        assert (other.values - alone).abs().min() > 1e-6


def test_random_weights_are_those_of_a_dirichlet_with_concentrations_of_one() -> None:
    mask = lengths(*[4] * 20_000)
    weights = weights_of(Random().allocation(seen(mask)), mask).double().numpy()
    # Each share of four is one of a beta distribution: above x with probability (1 - x) ** 3.
    for share in (0.1, 0.25, 0.6):
        above = (weights > share).mean(0)
        assert np.abs(above - (1 - share) ** 3).max() < 0.015
    # Shares are drawn independently but for their sum.
    assert np.corrcoef(weights.T)[np.triu_indices(4, 1)] == pytest.approx(-1 / 3, abs=0.03)
    steps = [weights_of(Random().allocation(seen(mask, step=s)), mask)[:, 0] for s in range(2)]
    assert abs(np.corrcoef(*(step.numpy() for step in steps))[0, 1]) < 0.03


def opened(rule: Diagonal, length: int, count: int, steps: int) -> list[list[int]]:
    gates = (
        rule.allocation(seen(lengths(length), step, [count])).values[0] for step in range(steps)
    )
    return [gate.nonzero()[:, 0].tolist() for gate in gates]


def test_the_diagonal_goes_from_the_first_position_to_the_last() -> None:
    assert opened(Diagonal(0.3), 4, 1, 4) == [[0], [1], [2], [3]]
    assert opened(Diagonal(0.3), 5, 3, 5) == [[0, 1, 2], [0, 1, 2], [1, 2, 3], [2, 3, 4], [2, 3, 4]]


def test_targets_of_twice_the_length_go_half_as_fast_and_late_ones_stay_at_the_end() -> None:
    assert opened(Diagonal(0.3, ratio=2.0), 3, 1, 8) == [[0], [0], [1], [1], [2], [2], [2], [2]]
    assert opened(Diagonal(0.3, ratio=0.5), 5, 1, 4) == [[0], [2], [4], [4]]


def test_the_diagonal_of_a_padded_lane_is_that_of_the_lane_alone() -> None:
    mask, counts = lengths(3, 9), [2, 4]
    for step in range(12):
        both = Diagonal(0.4, 1.3).allocation(seen(mask, step, counts)).values
        alone = Diagonal(0.4, 1.3).allocation(seen(lengths(3), step, counts[:1])).values
        assert torch.equal(both[0, :3], alone[0])
        assert both.sum(-1).tolist() == counts
        assert not both[~mask].any()


def test_the_ratio_counts_tokens_with_their_ends(host: Seq2SeqHost) -> None:
    pairs = [Pair("ba be", "ba be bi"), Pair("ba", "bo"), Pair("ba " * 40, "bu")]
    cut = LIMITS["max_source"]
    assert length_ratio(host, pairs, **LIMITS) == (4 + 2 + 2) / (3 + 2 + cut)


@pytest.mark.parametrize("ratio", [0.0, -1.0, float("nan")])
def test_no_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(InputError, match="ratio of"):
        Diagonal(0.5, ratio)
