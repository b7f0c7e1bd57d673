"""The window: neighbours around a centre."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.actions.window import Window

MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])


@pytest.mark.parametrize(
    ("centre", "width", "opened"),
    [
        (-1.0, -1.0, [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]),
        (1.0, -1.0, [[0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]),
        (0.0, -0.5, [[0, 1, 1, 1, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0]]),
        (-1.0, 1.0, [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]),
        (7.0, 9.0, [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]),
    ],
)
def test_it_opens_what_lies_around_the_centre(
    centre: float, width: float, opened: list[list[int]]
) -> None:
    action = torch.tensor([[centre, width]]).expand(3, 2)
    allocation = Window().allocation(action, MASK)
    assert allocation.mode == "gate"
    assert allocation.values.int().tolist() == opened
    assert Window().reads(action, MASK).tolist() == [sum(row) for row in opened]


def test_the_centre_is_where_the_scores_point() -> None:
    parameters = torch.zeros(3, 5, 3)
    parameters[:, 0, 0] = 30.0
    first = Window().distribution(parameters, MASK).mode()
    assert first[:2, 0] == pytest.approx([-1.0, -1.0], abs=1e-5)
    assert first[2, 0] == 0.0, "one position is in the middle"
    flat = Window().distribution(torch.zeros(3, 5, 3), MASK).mode()
    assert flat[:, 0].tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-6)


def test_an_untrained_window_is_wide() -> None:
    family = Window()
    mode = family.distribution(torch.tensor(family.initial).expand(3, 5, 3), MASK).mode()
    assert family.reads(mode, MASK).tolist() == MASK.sum(-1).tolist()
    assert family.space(5).contains(mode[0].numpy().astype(np.float32))
