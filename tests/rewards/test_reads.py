"""The price of reads finds the target, from either side."""

from __future__ import annotations

import pytest

from rlattn.rewards import Reads, ReadsTarget
from tests.rewards.steps import step


def test_the_term_is_the_fraction_that_was_read() -> None:
    assert Reads()(step()).tolist() == [0.5, 0.25]


def test_the_more_is_read_the_dearer_it_gets() -> None:
    prices = []
    for reads in (0.1, 0.2, 0.25, 0.3, 0.9):
        target = ReadsTarget(0.2, price=0.5, sentences=10)
        target.update(10 * reads, 10)
        prices.append(target.price)
    assert prices == sorted(prices)
    assert prices[0] < prices[-1]


def test_the_price_moves_when_enough_sentences_are_in() -> None:
    target = ReadsTarget(0.2, price=0.5, sentences=10)
    target.update(9 * 0.1, 9)
    assert target.price == 0.5
    target.update(0.1, 1)
    moved = target.price
    assert moved < 0.5
    target.update(9 * 0.9, 9)
    assert target.price == moved
    target.update(0.9, 1)
    assert target.price > moved


def test_reading_is_never_rewarded() -> None:
    target = ReadsTarget(1.0, price=0.1, sentences=1)
    for _ in range(100):
        target.update(0.1, 1)
        assert target.price >= 0
    assert target.price == 0.0


@pytest.mark.parametrize("price", [0.5, 2.0])
def test_a_reader_who_minds_the_price_ends_up_at_the_target(price: float) -> None:
    target = ReadsTarget(0.6, price=price, sentences=64)
    reads = 1.0
    for _ in range(3000):
        # What the price makes worth reading, taken up slowly, as a policy learns.
        reads += 0.1 * (1 / (1 + 2 * target.price) - reads)
        target.update(64 * reads, 64)
    assert reads == pytest.approx(0.6, abs=0.005)
    assert target.price == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.parametrize("target", [0.0, -0.1, 1.1, float("nan")])
def test_a_target_is_a_fraction(target: float) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        ReadsTarget(target)
