"""Gates: what their actions open."""

from __future__ import annotations

import numpy as np
import torch

from rlattn.actions import make_family
from rlattn.actions.gate import Gate
from tests.actions.distributions.test_bernoulli import every_set


def test_the_allocation_opens_valid_positions_only() -> None:
    mask = torch.tensor([[True, True, True], [True, True, False]])
    action = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    allocation = Gate().allocation(action, mask)
    assert allocation.mode == "gate"
    assert allocation.values.tolist() == [[True, False, True], [False, True, False]]
    assert Gate().reads(action, mask).tolist() == [2.0, 1.0]


def test_an_empty_action_opens_the_last_valid_position() -> None:
    mask = torch.tensor([[True, True, True], [True, True, False]])
    action = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert Gate().allocation(action, mask).values.int().tolist() == [[0, 0, 1], [0, 1, 0]]
    assert Gate().reads(action, mask).tolist() == [1.0, 1.0]


def test_every_action_of_the_space_is_legal() -> None:
    family, mask = make_family("gate"), torch.arange(4) < torch.tensor([4, 2, 1])[:, None]
    for action in every_set(4).tolist():
        rows = torch.tensor([action] * 3)
        assert family.space(4).contains(rows[0].numpy().astype(np.int8))
        opened = family.allocation(rows, mask).values
        assert opened.any(-1).all()
        assert not (opened & ~mask).any()
        assert torch.equal(family.reads(rows, mask), opened.sum(-1).float())


def test_samples_are_actions_of_the_space() -> None:
    family = make_family("gate")
    assert len(family.initial) == 1
    parameters, mask = torch.randn(9, 6, 1), torch.arange(6) < torch.arange(1, 10)[:, None]
    sample = family.distribution(parameters, mask).sample()
    for row in sample.numpy().astype(np.int8):
        assert family.space(6).contains(row)
