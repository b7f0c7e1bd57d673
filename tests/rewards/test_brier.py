"""The Brier score is a squared distance from the truth."""

from __future__ import annotations

import pytest
import torch

from rlattn.rewards import Brier
from tests.rewards.steps import STEERED, step


def test_it_is_the_distance_from_the_truth() -> None:
    reference = torch.tensor([2, 1])
    truth = torch.eye(4)[reference]
    expected = -(STEERED - truth).square().sum(-1)
    assert Brier()(step(reference_token=reference)).tolist() == pytest.approx(expected.tolist())


def test_it_is_none_for_who_knows_and_two_for_who_is_sure_of_something_wrong() -> None:
    sure = torch.tensor([[100.0, 0.0, 0.0, 0.0]] * 2)
    told = Brier()(step(logits=sure, reference_token=torch.tensor([0, 3])))
    assert told.tolist() == pytest.approx([0.0, -2.0])
