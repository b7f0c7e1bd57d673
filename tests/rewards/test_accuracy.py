"""Accuracy is whether the reference's token was written."""

from __future__ import annotations

import torch

from rlattn.rewards import Accuracy
from tests.rewards.steps import step


def test_it_is_one_where_the_reference_is_written() -> None:
    assert Accuracy()(step(reference_token=torch.tensor([0, 1]))).tolist() == [1.0, 0.0]
