"""Probability is how much steering gains on the reference where the host wavers."""

from __future__ import annotations

import pytest

from rlattn.rewards import Likelihood, Probability
from tests.rewards.steps import NATIVE, step


def test_it_is_the_gain_over_native() -> None:
    assert Probability()(step()).tolist() == pytest.approx([0.125 - 0.25, 0.0])
    assert Probability()(step(logits=NATIVE.log())).tolist() == [0.0, 0.0]


def test_it_has_the_sign_of_the_gain_in_likelihood() -> None:
    assert Probability()(step()).sign().equal(Likelihood()(step()).sign())
