"""The price of reads finds the target, from either side."""

from __future__ import annotations

import pytest

from rlattn.rewards import Reads, ReadsTarget
from tests.rewards.steps import step


def test_the_term_is_the_fraction_that_was_read() -> None:
    assert Reads()(step()).tolist() == [0.5, 0.25]


@pytest.mark.parametrize("reads", [0.8, 0.2, 0.1])
def test_the_price_moves_towards_the_target(reads: float) -> None:
    target = ReadsTarget(0.2, price=0.5, rate=0.1, sentences=10)
    target.update(9 * reads, 9)
    assert target.price == 0.5, "not yet enough sentences"
    target.update(reads, 1)
    assert target.price == pytest.approx(0.5 + 0.1 * (reads - 0.2))


def test_every_update_begins_afresh() -> None:
    target = ReadsTarget(0.2, price=0.5, rate=1.0, sentences=2)
    target.update(2 * 0.3, 2)
    target.update(2 * 0.1, 2)
    assert target.price == pytest.approx(0.5)


def test_reading_is_never_rewarded() -> None:
    target = ReadsTarget(1.0, price=0.1, rate=10.0, sentences=1)
    target.update(0.1, 1)
    assert target.price == 0.0


@pytest.mark.parametrize("price", [0.0, 5.0])
def test_a_reader_who_minds_the_price_ends_up_at_the_target(price: float) -> None:
    target = ReadsTarget(0.25, price=price, rate=0.1, sentences=64)
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
