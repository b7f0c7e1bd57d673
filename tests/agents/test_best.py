"""The checkpoint that is kept is the best one, by quality and reads."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.agents import Meter, Spent
from rlattn.agents.best import KeepsBest, score
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy
from tests.inference.policies import strong


@dataclass(frozen=True)
class Point:
    """What there is of every point."""

    env_steps: int
    reads_fraction: float
    score: float
    spent: Spent


SCORES = {"poor": 1.0, "good": 3.0, "as good": 3.0, "better": 4.0}


class Scripted(KeepsBest[Point, str]):
    """What is learned is a name; its score was written before."""

    def _measure(self, policy: str, env_steps: int, spent: Spent) -> tuple[str, Point]:
        return f"{policy} one", Point(env_steps, 0.5, SCORES[policy], spent)


class TestKeepsBest:
    def test_the_best_is_kept_as_it_was_measured(self, host: Seq2SeqHost) -> None:
        keeps = Scripted(Meter(host))
        kept = []
        for step, name in enumerate(("good", "poor", "better", "good")):
            point = keeps.validate(name, env_steps=step)
            assert keeps.curve[-1] is point
            kept.append(keeps.policy)
        assert kept == ["good one", "good one", "better one", "better one"]
        assert [point.env_steps for point in keeps.curve] == [0, 1, 2, 3]
        assert keeps.best is keeps.curve[2]

    def test_of_equally_good_ones_the_first_is_kept(self, host: Seq2SeqHost) -> None:
        keeps = Scripted(Meter(host))
        for step, name in enumerate(("good", "as good")):
            keeps.validate(name, env_steps=step)
        assert (keeps.policy, keeps.best) == ("good one", keeps.curve[0])

    def test_before_the_first_validation_there_is_no_best(self, host: Seq2SeqHost) -> None:
        keeps = Scripted(Meter(host))
        assert (keeps.best, keeps.curve) == (None, [])
        with pytest.raises(RuntimeError, match="nothing was validated"):
            _ = keeps.policy

    def test_validating_costs_the_training_nothing(self, host: Seq2SeqHost) -> None:
        class Slow(KeepsBest[Point]):
            def _measure(
                self, policy: TrainedPolicy, env_steps: int, spent: Spent
            ) -> tuple[TrainedPolicy, Point]:
                time.sleep(0.2)
                host.usage.forwards += 1000
                return policy, Point(env_steps, 0.5, 1.0, spent)

        meter = Meter(host)
        keeps = Slow(meter)
        host.usage.forwards += 3
        point = keeps.validate(strong(host), 0)
        host.usage.forwards += 4
        assert point.spent.forwards == 3
        assert meter.spent.forwards == 7
        assert point.spent.seconds <= meter.spent.seconds < 0.2


def best(
    *turns: tuple[float, float], target: float | None = None, weight: float = 0.0, native: float = 9
) -> int:
    """Which of some qualities with their reads has the highest score."""
    scores = [score(quality, reads, target, weight, native) for quality, reads in turns]
    return scores.index(max(scores))


class TestScore:
    def test_without_a_target_quality_is_weighed_against_reads(self) -> None:
        assert best((8, 0.9), (7, 0.2), weight=-0.5) == 1
        assert best((8, 0.9), (7, 0.2), weight=0.0) == 0

    def test_quality_is_weighed_as_a_share_of_the_native_one(self) -> None:
        assert score(30.0, 0.5, None, -0.4, 40.0) == pytest.approx(0.75 - 0.2)
        assert best((3, 0.9), (2, 0.2), weight=-0.5, native=2) == 0
        assert best((3, 0.9), (2, 0.2), weight=-0.5, native=20) == 1

    def test_with_a_target_only_those_that_meet_it_compete(self) -> None:
        assert best((8, 0.9), (3, 0.25), (5, 0.24), (4, 0.1), target=0.25) == 2

    def test_before_the_target_is_met_the_one_that_reads_least_is_best(self) -> None:
        assert best((8, 0.9), (2, 0.5), (8, 0.6), target=0.25) == 1

    @given(*(st.floats(0, 100) for _ in range(2)), st.floats(0.25, 1), st.floats(-9, 9))
    def test_whatever_meets_a_target_is_better_than_what_does_not(
        self, poor: float, good: float, reads: float, weight: float
    ) -> None:
        within, beyond = (score(good, reads, target, weight, 50) for target in (reads, 0.2))
        assert score(poor, 0.2, 0.2, weight, 50) > beyond
        assert within == good

    def test_a_host_that_is_never_right_is_no_mistake(self) -> None:
        assert best((0, 0.9), (0, 0.2), weight=-0.5, native=0) == 1
        assert best((0, 0.2), (1, 0.9), weight=-0.5, native=0) == 1
