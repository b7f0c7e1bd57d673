"""Likelihood is how much steering gains on the reference."""

from __future__ import annotations

import math

import pytest

from rlattn.rewards import Likelihood, LogLikelihood
from tests.rewards.steps import NATIVE, step


def test_it_is_the_gain_over_native_in_nats() -> None:
    assert Likelihood()(step()).tolist() == pytest.approx([math.log(0.125 / 0.25), 0.0])
    assert Likelihood()(step(logits=NATIVE.log())).tolist() == [0.0, 0.0]


def test_the_plain_one_needs_no_native_attention() -> None:
    likelihood = LogLikelihood()(step(native_logits=None))
    assert likelihood.tolist() == pytest.approx([math.log(0.125), math.log(0.2)])
    assert "native" not in LogLikelihood.needs
