"""Fidelity is the negative divergence of steered from native."""

from __future__ import annotations

import math

import pytest
import torch

from rlattn.rewards import Fidelity
from tests.rewards.steps import STEERED, step


def test_it_is_the_negative_divergence_in_nats() -> None:
    # Of native (1/4, 1/4, 1/4, 1/4) from steered (1/2, 1/4, 1/8, 1/8); the second lane is native.
    divergence = 0.25 * (-math.log(2) + 0 + math.log(2) + math.log(2))
    assert Fidelity()(step()).tolist() == pytest.approx([-divergence, 0.0], abs=1e-6)


def test_it_is_perfect_only_for_the_native_distribution() -> None:
    for _ in range(20):
        random = torch.randn(2, 4).log_softmax(-1)
        assert (Fidelity()(step(logits=random)) < 0).all()
    assert Fidelity()(step(native_logits=STEERED.log())).abs().max() < 1e-7
