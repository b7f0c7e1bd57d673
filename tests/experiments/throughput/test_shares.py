"""Timing methods: what counts where, and that nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from rlattn.experiments.throughput.ppo import METHODS, Learning
from rlattn.experiments.throughput.shares import timed
from rlattn.experiments.throughput.workload import Workload


class Worker:
    def outer(self) -> int:
        return self.inner()

    def inner(self) -> int:
        return 1

    def fails(self) -> None:
        raise ValueError


def ticks() -> Iterator[float]:
    yield from map(float, count())


def test_a_method_inside_another_counts_for_the_outer_one() -> None:
    seconds = {"outer": 0.0, "inner": 0.0}
    clock = ticks()
    methods = {"outer": [(Worker, "outer")], "inner": [(Worker, "inner")]}
    with timed(methods, lambda: next(clock), seconds):
        assert Worker().outer() == 1
        assert Worker().inner() == 1
    assert seconds == {"outer": 1.0, "inner": 1.0}


def test_methods_are_restored_after_an_error() -> None:
    before = dict(vars(Worker))
    seconds = {"fails": 0.0}
    clock = ticks()
    with (
        pytest.raises(ValueError),  # noqa: PT011  (nothing to match)
        timed({"fails": [(Worker, "fails")]}, lambda: next(clock), seconds),
    ):
        Worker().fails()
    assert dict(vars(Worker)) == before
    assert seconds == {"fails": 1.0}


def test_the_shares_of_learning_sum_to_one(tiny: Workload) -> None:
    places = [place for some in METHODS.values() for place in some]
    before = [vars(owner)[name] for owner, name in places]
    learning = Learning(tiny.settings({"chrf": 1.0, "reads": -0.1}), 2, 1)
    assert learning.run() == 2 * learning.ppo.n_steps
    assert [vars(owner)[name] for owner, name in places] == before
    assert sum(learning.shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in learning.shares.values())
    assert set(learning.shares) == {*METHODS, "copying"}
