"""Fair comparison: contestants take turns, and ratios are taken between neighbours in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch

Clock = Callable[[], float]
"""The time in seconds, once all that was asked of the device is done."""


@dataclass(frozen=True)
class Contestant:
    """Something whose speed is measured.

    Attributes:
        work: Does a piece of work and returns how many steps or tokens it was.
        pieces: How many pieces make a whole, in which everything that happens has happened as
            often as it does on average.
        warm_up: What to do beforehand, unmeasured, if anything.
        rounds: In how many rounds it takes part at most; all when None.
    """

    work: Callable[[], int]
    pieces: int = 1
    warm_up: Callable[[], object] | None = None
    rounds: int | None = None


@dataclass(frozen=True)
class Spread:
    """What repeated measurements gave.

    Attributes:
        median: The middle one.
        low: The smallest.
        high: The largest.
    """

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarises one number per round."""
        return cls(median(values), min(values), max(values))


class Rounds:
    """The rate of every contestant in every round.

    Args:
        rates: Steps or tokens per second of each contestant, round after round.
    """

    def __init__(self, rates: Mapping[str, Sequence[float]]) -> None:
        self._rates = rates

    def rate(self, name: str) -> Spread:
        """Steps or tokens per second of a contestant."""
        return Spread.of(self._rates[name])

    def ratio(self, over: str, under: str, factor: float = 1.0) -> Spread:
        """How many times as fast one contestant is as another.

        Args:
            over: A contestant.
            under: The one to compare it with, in the same rounds.
            factor: Multiplies the ratio.
        """
        # Whoever takes part in fewer rounds does so in the first ones.
        pairs = zip(self._rates[over], self._rates[under], strict=False)
        return Spread.of([factor * a / b for a, b in pairs])


def limit_rounds(contestants: Mapping[str, Contestant], rounds: int) -> dict[str, Contestant]:
    """The same contestants, taking part in fewer rounds."""
    return {name: replace(each, rounds=rounds) for name, each in contestants.items()}


def clock(device: str) -> Clock:
    """A clock that waits for a GPU; a processor's work is done when a call returns."""
    if not device.startswith("cuda"):
        return time.perf_counter

    def read() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return read


def interleave(
    contestants: Mapping[str, Contestant], *, rounds: int, seconds: float, clock: Clock
) -> Iterator[tuple[str, float | None]]:
    """Lets contestants take turns, so that what slows the machine slows all of them.

    Args:
        contestants: What to measure, by name.
        rounds: How often each has its turn; every other round goes backwards.
        seconds: How long a turn lasts at least; a whole that was begun is finished.
        clock: See `clock`.

    Yields:
        A name and a rate per second for each turn; for a warm-up the rate is None.
    """
    for name, contestant in contestants.items():
        if contestant.warm_up is not None:
            contestant.warm_up()
            yield name, None
    order = list(contestants)
    for number in range(rounds):
        for name in order:
            most = contestants[name].rounds
            if most is None or number < most:
                yield name, _rate(contestants[name], seconds, clock)
        order.reverse()


def turns(contestants: Mapping[str, Contestant], rounds: int) -> int:
    """How many turns `interleave` yields, warm-ups included."""
    each = contestants.values()
    return sum(
        (c.warm_up is not None) + (rounds if c.rounds is None else min(c.rounds, rounds))
        for c in each
    )


def _rate(contestant: Contestant, seconds: float, clock: Clock) -> float:
    started, done = clock(), 0
    while True:
        done += sum(contestant.work() for _ in range(contestant.pieces))
        elapsed = clock() - started
        if elapsed >= seconds:
            return done / elapsed


def medians(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree of spreads with the median in place of each."""
    return _each(tree, lambda spread: spread.median)


def ranges(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A tree of spreads with ``[low, high]`` in place of each."""
    return _each(tree, lambda spread: [spread.low, spread.high])


def _each(tree: Mapping[str, Any], show: Callable[[Spread], object]) -> dict[str, Any]:
    return {
        name: show(value) if isinstance(value, Spread) else _each(value, show)
        for name, value in tree.items()
    }
