"""Weights stay, follow a line, or find the price at which a cost is at its target."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from rlattn.errors import InputError
from rlattn.rewards import Schedule, Target
from rlattn.rewards.weights import make_weight


def finish(target: Target, cost: float, count: int, steps: int = 1) -> None:
    """Some finished sentences that cost as much at every step."""
    target.finish(np.full(count, cost * steps), np.full(count, steps))


def test_a_number_stays() -> None:
    weight = make_weight("reads", -0.5)
    weight.advance(1000)
    weight.finish(np.ones(5), np.ones(5))
    assert weight.value == -0.5


def test_a_schedule_follows_a_line_and_stays_at_its_end() -> None:
    weight = make_weight("reads", {"start": -0.1, "end": -0.5, "steps": 100})
    assert isinstance(weight, Schedule)
    values = [weight.value]
    for _ in range(5):
        weight.advance(25)
        values.append(weight.value)
    assert values == pytest.approx([-0.1, -0.2, -0.3, -0.4, -0.5, -0.5])


def test_the_more_it_costs_the_dearer_it_gets() -> None:
    prices = []
    for cost in (0.1, 0.2, 0.25, 0.3, 0.9):
        target = Target(0.2, price=0.5, sentences=10)
        finish(target, cost, 10, steps=3)
        prices.append(-target.value)
    assert prices == sorted(prices)
    assert prices[0] < prices[-1]


def test_the_price_moves_when_enough_sentences_are_in() -> None:
    target = Target(0.2, price=0.5, sentences=10)
    finish(target, 0.1, 9)
    assert target.value == -0.5
    finish(target, 0.1, 1)
    moved = target.value
    assert moved > -0.5
    finish(target, 0.9, 9)
    assert target.value == moved
    finish(target, 0.9, 1)
    assert target.value < moved


def test_a_cost_is_never_rewarded() -> None:
    target = Target(1.0, price=0.1, sentences=1)
    for _ in range(100):
        finish(target, 0.1, 1)
        assert target.value <= 0
    assert target.value == 0.0


@pytest.mark.parametrize("price", [0.5, 2.0])
def test_who_minds_the_price_ends_up_at_the_target(price: float) -> None:
    target = Target(0.6, price=price, sentences=64)
    cost = 1.0
    for _ in range(3000):
        # What the price makes worth its cost, taken up slowly, as a policy learns.
        cost += 0.1 * (1 / (1 - 2 * target.value) - cost)
        finish(target, cost, 64)
    assert cost == pytest.approx(0.6, abs=0.005)
    assert -target.value == pytest.approx(1 / 3, abs=0.02)


def test_a_cost_is_taken_per_step_or_per_sentence() -> None:
    per_step, per_sentence = Target(2.0, sentences=4), Target(2.0, sentences=4, per="sentence")
    for target in (per_step, per_sentence):
        finish(target, 1.0, 4, steps=10)  # one a step, ten a sentence
    assert per_step.value == 0.0
    assert per_sentence.value == -0.5


def test_a_target_that_does_not_say_counts_as_the_environment_does() -> None:
    for says, told, expected in [(None, "sentence", -0.5), ("step", "sentence", 0.0)]:
        target = Target(2.0, sentences=4, per=says)
        target.finish(np.full(4, 10.0), np.full(4, 10), told)
        assert target.value == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (math.nan, "expected a finite number"),
        (math.inf, "expected a finite number"),
        ("0.5", "weight '0.5': expected a number"),
        (True, "expected a number"),
        ({}, "expected a number, a schedule such as .*, or a target such as"),
        ({"start": 0.0, "end": 1.0}, "steps is missing"),
        ({"start": 0.0, "end": 1.0, "steps": 0}, "steps 0: expected at least 1"),
        ({"start": "a", "end": 1.0, "steps": 5}, "start 'a': expected a number"),
        ({"target": 0.2, "prise": 1.0}, "prise is unknown"),
        ({"target": -0.2}, "target -0.2: expected at least 0"),
        ({"target": 0.2, "per": "word"}, "per 'word': expected one of step, sentence"),
        ({"target": 0.2, "sentences": 0}, "sentences 0: expected at least 1"),
    ],
)
def test_what_is_no_weight_is_refused(spec: Any, message: str) -> None:
    with pytest.raises(InputError, match=f"reward reads: .*{message}"):
        make_weight("reads", spec)
