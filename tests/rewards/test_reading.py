"""What is read of the source, on sentences whose reading is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from rlattn.rewards import Coverage, Entropy, Latency, Length, Reads
from tests.rewards.steps import MASK, step


def one_hot(*places: int) -> Tensor:
    """All attention of each lane on one position."""
    return torch.eye(4)[list(places)]


def test_reads_are_the_fraction_that_was_open() -> None:
    opened = torch.tensor([[True, False, False, False], [True, True, False, False]])
    assert Reads()(step(opened=opened)).tolist() == [0.25, 1.0]


def test_entropy_is_none_for_one_position_and_most_for_all_alike() -> None:
    even = MASK / MASK.sum(-1, keepdim=True)
    assert Entropy()(step(attention=one_hot(2, 0))).tolist() == [0.0, 0.0]
    assert Entropy()(step(attention=even)).tolist() == pytest.approx([math.log(4), math.log(2)])


def test_what_is_attended_to_twice_covers_once() -> None:
    term, coverage, total = Coverage(), torch.zeros(2, 4), torch.zeros(2)
    for attention in (one_hot(0, 0), one_hot(1, 0), one_hot(1, 1), 0.5 * one_hot(2, 1)):
        coverage = coverage + attention
        total += term(step(attention=attention, coverage=coverage))
    assert total.tolist() == [(1 + 1 + 0.5) / 4, 1.0]
    assert torch.equal(total, coverage.clamp(max=1.0).sum(-1) / MASK.sum(-1))


def test_latency_is_how_far_right_has_been_reached() -> None:
    term = Latency()
    places = [(0, 0), (2, 1), (1, 0)]
    reached = [
        term(step(opened=one_hot(*place).bool(), age=torch.tensor([age, age]))).tolist()
        for age, place in enumerate(places, start=1)
    ]
    assert reached == [[0.25, 0.5], [0.75, 1.0], [0.75, 1.0]]


def test_latency_begins_anew_with_a_sentence() -> None:
    term = Latency()
    term(step(opened=one_hot(3, 1).bool(), age=torch.tensor([1, 1])))
    anew = term(step(opened=one_hot(0, 0).bool(), age=torch.tensor([2, 1])))
    assert anew.tolist() == [1.0, 0.5]


def test_reading_everything_waits_for_the_whole_source() -> None:
    assert Latency()(step(opened=MASK)).tolist() == [1.0, 1.0]


def test_every_token_counts_one() -> None:
    assert Length()(step()).tolist() == [1.0, 1.0]
