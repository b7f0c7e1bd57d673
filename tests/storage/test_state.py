"""What is taken from a state is what it should be, or is refused with what it is."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.agents.randomness import random_state, set_random_state
from rlattn.errors import InputError
from rlattn.storage.state import attributes, part, set_attributes, take

STATE: dict[str, Any] = {
    "tensor": torch.ones(2, 3),
    "array": np.ones((2, 3)),
    "flag": True,
    "whole": 2,
    "number": 0.5,
    "text": "a",
    "part": {"inner": 1},
}


def test_a_copy_is_taken() -> None:
    for name, like in (("tensor", torch.zeros(2, 3)), ("array", np.zeros((2, 3)))):
        taken = take(STATE, name, like)
        taken += 1
        assert STATE[name].sum() == 6
    assert take(STATE, "flag", False) is True
    assert take(STATE, "whole", 0.0) == 2
    assert part(STATE, "part") == {"inner": 1}


def test_axes_may_be_left_open() -> None:
    assert take(STATE, "tensor", torch.zeros(0), (None, 3)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "like", "message"),
    [
        ("nothing", 0, "nothing is missing"),
        ("tensor", torch.zeros(2, 4), r"tensor is float32 \[2, 3\]: expected float32 \[2, 4\]"),
        ("tensor", torch.zeros(2, 3).double(), r"expected float64 \[2, 3\]"),
        ("tensor", np.zeros((2, 3), np.float32), "expected float32"),
        ("array", torch.zeros(2, 3), "array is float64"),
        ("flag", 1, "flag is of the type bool: expected of the type int"),
        ("whole", False, "expected of the type bool"),
        ("number", 1, "expected of the type int"),
        ("text", {}, "text is of the type str: expected of the type dict"),
    ],
)
def test_anything_else_is_refused(name: str, like: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        take(STATE, name, like)


class Thing:
    """Remembers all kinds of things."""

    def __init__(self) -> None:
        self.mean, self.seen, self.best = torch.zeros(0), 0, -math.inf
        self.last: torch.Tensor | None = None
        self.scale = np.float32(1)
        self.name, self.words = "a thing", ["a"]


def test_attributes_that_are_numbers_come_back() -> None:
    one, other = Thing(), Thing()
    one.mean, one.seen, one.best, one.last = torch.ones(3), 4, 0.5, torch.arange(2)
    one.scale = np.float32(0.1)
    set_attributes(other, attributes(one))
    assert attributes(other).keys() == {"mean", "seen", "best", "last", "scale"}
    assert torch.equal(other.mean, one.mean)
    assert other.mean is not one.mean
    assert (other.seen, other.best, other.scale) == (4, 0.5, np.float32(0.1))


def test_an_attribute_that_has_become_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="words is of the type int: expected of the type list"):
        set_attributes(Thing(), {"words": 3})


def test_all_generators_go_on_where_they_were() -> None:
    def draw() -> tuple[float, float, float, float]:
        return random.gauss(), random.random(), float(np.random.normal()), float(torch.randn(()))

    draw()
    state = random_state()
    expected = [draw() for _ in range(3)]
    set_random_state(state)
    assert [draw() for _ in range(3)] == expected
