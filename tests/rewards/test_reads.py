"""The price of reads finds the target, from either side."""

from __future__ import annotations

import pytest

from rlattn.rewards import Reads, ReadsTarget
from tests.rewards.steps import step


def test_the_term_is_the_fraction_that_was_read() -> None:
    assert Reads()(step()).tolist() == [0.5, 0.25]


def test_the_price_rises_while_too_much_is_read_and_falls_after() -> None:
    dear, fair, cheap = (ReadsTarget(0.2, price=0.5, sentences=10) for _ in range(3))
    dear.update(10 * 0.3, 10)
    fair.update(10 * 0.2, 10)
    cheap.update(10 * 0.1, 10)
    assert fair.price == pytest.approx(0.5)
    assert dear.price > 0.5 > cheap.price


def test_the_price_moves_when_enough_sentences_are_in() -> None:
    target = ReadsTarget(0.2, price=0.5, sentences=10)
    for _ in range(3):
        before = target.price
        target.update(9 * 0.8, 9)
        assert target.price == before
        target.update(0.8, 1)
        assert target.price > before


def test_reading_is_never_rewarded() -> None:
    target = ReadsTarget(1.0, price=0.1, sentences=1)
    for _ in range(100):
        target.update(0.1, 1)
        assert target.price >= 0
    assert target.price == 0.0


@pytest.mark.parametrize("price", [0.0, 5.0])
def test_a_reader_who_minds_the_price_ends_up_at_the_target(price: float) -> None:
    target = ReadsTarget(0.25, price=price, sentences=64)
    reads = 1.0
    for _ in range(3000):
        # What the price makes worth reading, taken up slowly, as a policy learns.
        reads += 0.1 * (1 / (1 + 2 * target.price) - reads)
        target.update(64 * reads, 64)
    assert reads == pytest.approx(0.25, abs=0.005)
    assert target.price == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("target", [0.0, -0.1, 1.1, float("nan")])
def test_a_target_is_a_fraction(target: float) -> None:
    with pytest.raises(ValueError, match=r"\(0, 1\]"):
        ReadsTarget(target)
