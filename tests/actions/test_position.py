"""One position, and nothing else, is read."""

from __future__ import annotations

import torch

from rlattn.actions.position import Position

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])


def test_one_position_is_open_and_what_lies_beyond_the_source_is_its_last() -> None:
    action = torch.tensor([[2.0], [3.0]])
    allocation = Position().allocation(action, MASK)
    assert allocation.mode == "gate"
    assert allocation.values.int().tolist() == [[0, 0, 1, 0], [0, 1, 0, 0]]
    assert Position().reads(action, MASK).tolist() == [1.0, 1.0]
