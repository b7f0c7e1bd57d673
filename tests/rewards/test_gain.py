"""Gains sum up to what is known at the end, over a guess."""

from __future__ import annotations

import math

import pytest
import torch

from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.rewards import Gain
from tests.envs.cores import make
from tests.rewards.steps import step


def test_the_sum_is_the_gain_over_a_guess() -> None:
    term, label = Gain(), torch.tensor([2, 1])
    total = torch.zeros(2)
    for age in range(1, 4):
        logits = torch.randn(2, 4)
        total += term(step(logits=logits, label=label, age=torch.tensor([age, age])))
    expected = logits.log_softmax(-1)[range(2), label] + math.log(4)
    assert total.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_a_guess_gains_nothing_and_each_text_begins_with_one() -> None:
    term, label = Gain(), torch.tensor([2, 1])
    sure = step(label=label, logits=torch.eye(4)[label] * 9, age=torch.tensor([1, 1]))
    assert (term(sure) > 1.0).all()
    even = step(label=label, logits=torch.zeros(2, 4), age=torch.tensor([1, 2]))
    first, second = term(even).tolist()
    assert first == pytest.approx(0.0, abs=1e-6)
    assert second < -1.0


def test_translation_has_no_labels(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match=r"label of a text.*rlattn/Classify-v0"):
        make(host, reward={"gain": 1.0})
