"""A step tells what was asked for, and who reads more is told what to ask for."""

from __future__ import annotations

import pytest
import torch

from rlattn.errors import ContractError
from tests.rewards.steps import NATIVE, STEERED, step


def test_log_probabilities_are_those_of_the_logits() -> None:
    here = step()
    assert torch.allclose(here.log_probs, STEERED.log())
    assert torch.allclose(here.native_log_probs, NATIVE.log())
    token = torch.tensor([1, 3])
    assert torch.allclose(here.log_prob(token), torch.tensor([0.25, 0.4]).log())
    assert torch.allclose(here.native_log_prob(token), torch.tensor([0.25, 0.4]).log())


def test_reads_are_counted_over_valid_positions() -> None:
    assert step().reads_fraction.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("native_logits", "native"),
        ("native_token", "native_token"),
        ("reference_token", "reference"),
        ("finished", "text"),
        ("partial", "partial"),
    ],
)
def test_what_was_not_asked_for_is_not_there(name: str, need: str) -> None:
    with pytest.raises(ContractError, match=rf"step\.{name}.*needs = frozenset\(\{{'{need}'\}}\)"):
        getattr(step(**{name: None}), name)
