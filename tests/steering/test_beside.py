"""An allocation over some columns leaves the others what they have natively."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.errors import SteeringError
from rlattn.steering import Allocation
from rlattn.steering.attention import native_weights, steered_weights
from rlattn.steering.beside import weights_beside, widened

LOGITS = torch.randn(3, 2, 1, 7, generator=torch.Generator().manual_seed(0))
OWN = torch.zeros(3, 7, dtype=torch.bool)
OWN[:, 1:5] = True
OWN[2, 3:] = False
EVERY = torch.ones(3, 7, dtype=torch.bool)
VALUES = 0.1 + 0.9 * torch.rand(3, 4, generator=torch.Generator().manual_seed(1))
MODES = ["bias", "scale", "gate", "replace", "mix"]


def beside(allocation: Allocation, own: Tensor = OWN, start: int = 1) -> Tensor:
    return weights_beside(LOGITS, None, widened(allocation, own, start), 0, own, check=True)


def made(mode: str, values: Tensor = VALUES) -> Allocation:
    weight = torch.tensor(0.6) if mode == "mix" else None
    return Allocation(mode, values, weight)  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", MODES)
def test_weights_sum_to_one_and_the_others_keep_their_proportions(mode: str) -> None:
    weights, native = beside(made(mode)), native_weights(LOGITS, None)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 1))
    ratio = (weights / native)[:, 0, 0]
    for row, own in zip(ratio, OWN, strict=True):
        torch.testing.assert_close(row[~own], row[~own][:1].expand(int((~own).sum())))


@pytest.mark.parametrize("mode", MODES)
def test_over_all_columns_it_is_steering_as_ever(mode: str) -> None:
    allocation = made(mode, 0.1 + torch.rand(3, 7).clamp(max=0.9))
    expected = steered_weights(LOGITS, None, allocation, 0, None, check=True)
    torch.testing.assert_close(beside(allocation, EVERY, 0), expected)


@pytest.mark.parametrize("mode", ["replace", "mix"])
def test_what_is_dealt_out_is_what_the_others_leave(mode: str) -> None:
    weights, native = beside(made(mode)), native_weights(LOGITS, None)
    shut = OWN[:, None, None].expand_as(native)
    torch.testing.assert_close(weights[~shut], native[~shut])


def test_a_gate_may_be_shut_everywhere_and_a_share_must_be_somewhere() -> None:
    weights = beside(Allocation("gate", torch.zeros(3, 4, dtype=torch.bool)))
    assert weights[OWN[:, None, None].expand_as(weights)].eq(0).all()
    with pytest.raises(SteeringError, match="all on padding"):
        beside(Allocation("replace", torch.zeros(3, 4)))
    with pytest.raises(SteeringError, match=r"weight outside \[0, 1\]"):
        beside(Allocation("mix", VALUES, torch.tensor(1.5)))
