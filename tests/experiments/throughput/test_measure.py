"""Turns, ratios and spreads, by a clock that is told what time it is."""

from __future__ import annotations

import pytest

from rlattn.experiments.throughput.measure import (
    Contestant,
    Rounds,
    Spread,
    interleave,
    limit_rounds,
    medians,
    ranges,
    turns,
)


class Clock:
    """Work takes as long as it says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.done: list[str] = []

    def __call__(self) -> float:
        return self.now

    def contestant(self, name: str, seconds: float, pieces: int = 1) -> Contestant:
        def work() -> int:
            self.now += seconds
            self.done.append(name)
            return 10

        return Contestant(work, pieces, warm_up=lambda: self.done.append(f"warm {name}"))


def test_contestants_take_turns() -> None:
    clock = Clock()
    contestants = {name: clock.contestant(name, 1) for name in "ab"}
    turned = list(interleave(contestants, rounds=2, seconds=1, clock=clock))
    assert [name for name, _ in turned] == [*"ab", *"ab", *"ba"]
    assert [rate for _, rate in turned] == [None] * 2 + [10.0] * 4
    assert clock.done == ["warm a", "warm b", *"abba"]
    assert turns(contestants, 2) == len(turned)


@pytest.mark.parametrize(("seconds", "pieces", "works"), [(0.5, 1, 1), (2.5, 1, 3), (2.5, 2, 4)])
def test_a_turn_is_made_of_wholes(seconds: float, pieces: int, works: int) -> None:
    clock = Clock()
    contestants = {"a": clock.contestant("a", 1, pieces)}
    *_, (_, rate) = interleave(contestants, rounds=1, seconds=seconds, clock=clock)
    assert clock.done.count("a") == works
    assert rate == 10


def test_some_take_part_in_the_first_rounds_only() -> None:
    clock = Clock()
    contestants = {
        "a": clock.contestant("a", 1),
        **limit_rounds({"b": clock.contestant("b", 1)}, 1),
    }
    turned = list(interleave(contestants, rounds=3, seconds=1, clock=clock))
    assert [name for name, rate in turned if rate] == ["a", "b", "a", "a"]
    assert turns(contestants, 3) == len(turned)


def test_ratios_are_taken_within_rounds() -> None:
    rounds = Rounds({"fast": [2.0, 20.0, 200.0], "slow": [1.0, 10.0, 100.0], "once": [4.0]})
    assert rounds.rate("fast") == Spread(20, 2, 200)
    assert rounds.ratio("fast", "slow") == Spread(2, 2, 2)
    assert rounds.ratio("once", "slow", factor=3) == Spread(12, 12, 12)


def test_trees_of_spreads_become_numbers_and_ranges() -> None:
    tree = {"a": Spread(2, 1, 3), "b": {"64": Spread(5, 4, 6)}}
    assert medians(tree) == {"a": 2, "b": {"64": 5}}
    assert ranges(tree) == {"a": [1, 3], "b": {"64": [4, 6]}}
