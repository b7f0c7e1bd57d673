"""Each broken rule of an action family is found and said; what keeps all rules passes."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.actions import ActionFamily, Gate, MaskedDistribution, OpeningFamily
from rlattn.errors import ContractError, InputError
from rlattn.steering import Allocation
from rlattn.testing import check_family
from tests.actions.specs import EVERY_FAMILY


@EVERY_FAMILY
def test_every_family_that_ships_keeps_the_rules(spec: str) -> None:
    check_family(spec)


class Pointer(OpeningFamily):
    """One position, done by hand; what is overridden below breaks it."""

    name = "pointer"
    initial = (0.0,)

    def space(self, source: int) -> gymnasium.Space[Any]:
        return gymnasium.spaces.MultiBinary(source)

    def distribution(self, parameters: Tensor, mask: Tensor) -> MaskedDistribution:
        return OneHot(parameters[..., 0], mask)

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        opened = (action > 0.5) & mask
        first = mask & (mask.cumsum(-1) == 1)
        return opened | (~opened.any(-1, keepdim=True) & first)


class OneHot(MaskedDistribution):
    """One of the valid positions, as a row with a one in it."""

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        scores = scores.clamp(-20, 20).masked_fill(~mask, torch.finfo(scores.dtype).min / 2)
        self.logs, self.mask, self.scores = scores.log_softmax(-1), mask, scores

    def row(self, index: Tensor) -> Tensor:
        return torch.zeros_like(self.logs).scatter(-1, index, 1.0)

    def sample(self) -> Tensor:
        return self.row(torch.multinomial(self.logs.exp().masked_fill(~self.mask, 0.0), 1))

    def mode(self) -> Tensor:
        return self.row(self.logs.argmax(-1, keepdim=True))

    def log_prob(self, action: Tensor) -> Tensor:
        return (action * self.logs).masked_fill(~self.mask, 0.0).sum(-1)

    def entropy(self) -> Tensor:
        return -(self.logs.exp() * self.logs).masked_fill(~self.mask, 0.0).sum(-1)


def test_a_family_made_by_hand_keeps_the_rules() -> None:
    check_family(Pointer())


def family(base: type[ActionFamily] = Pointer, **methods: Any) -> ActionFamily:
    """A family like another but for some methods."""
    changed: ActionFamily = type("Changed", (base,), methods)()
    return changed


def drawing(**methods: Any) -> ActionFamily:
    """A pointer whose distribution is another in some methods."""
    distribution = type("Changed", (OneHot,), methods)
    return family(
        distribution=lambda self, parameters, mask: distribution(parameters[..., 0], mask)
    )


BROKEN: dict[str, tuple[ActionFamily, str]] = {
    "a wide box": (
        family(space=lambda self, source: gymnasium.spaces.Box(-5, 5, (source,), np.float32)),
        "its box goes from -5.0 to 5.0: expected -1 to 1",
    ),
    "a half box": (
        family(space=lambda self, source: gymnasium.spaces.Box(0, 1, (source,), np.float32)),
        "its box goes from 0.0 to 1.0: expected -1 to 1",
    ),
    "a space of many": (
        family(space=lambda self, source: gymnasium.spaces.Dict()),
        "its space is a Dict: expected a Box, Discrete, MultiBinary or MultiDiscrete",
    ),
    "no mode": (family(mode="stare"), "its mode is 'stare', expected one of bias, scale"),
    "one initial number": (family(initial=0.0), r"initial is 0.0, expected a tuple .*\(0.0,\)"),
    "no allocation": (
        family(allocation=lambda self, action, mask: action),
        "allocation gave a Tensor: expected an Allocation",
    ),
    "nothing opened": (
        family(opened=lambda self, a, mask: None),
        "opened gave a NoneType: expected",
    ),
    "no bound": (
        drawing(sample=lambda self: OneHot.sample(self) / 0),
        "a draw holds .* where the network gives",
    ),
    "no space": (family(space=lambda self, source: source), "is a int, no Gymnasium space"),
    "padding open": (
        family(opened=lambda self, action, mask: torch.ones_like(mask)),
        "opens padding: give `opened & mask`",
    ),
    "nothing open": (
        family(opened=lambda self, action, mask: torch.zeros_like(mask)),
        "opens nothing",
    ),
    "floats open": (
        family(opened=lambda self, action, mask: action),
        r"opened gave torch.float32 \[4, 6\] on cpu: expected torch.bool",
    ),
    "more read than said": (
        family(Gate, allocation=lambda self, action, mask: Allocation("gate", mask)),
        "attends to positions that `opened` says are shut",
    ),
    "another mode": (
        family(allocation=lambda self, action, mask: Allocation("bias", action)),
        "its allocation's mode is bias, not gate",
    ),
    "an illegal allocation": (
        family(allocation=lambda self, action, mask: Allocation("gate", mask[:, :2])),
        "maps to no legal allocation: values of shape",
    ),
    "a short sample": (
        drawing(sample=lambda self: self.logs[:, :2]),
        r"sample gave \[4, 2\]: expected \[4, 6\]",
    ),
    "a sample out of its space": (
        drawing(sample=lambda self: 2 * OneHot.sample(self)),
        "a draw leaves its space",
    ),
    "one number for all": (
        drawing(log_prob=lambda self, action: OneHot.log_prob(self, action).mean()),
        r"log_prob gave \[\]: expected one number for each lane, \[4\]; sum over",
    ),
    "an infinite density": (
        drawing(log_prob=lambda self, action: OneHot.log_prob(self, action) - torch.inf),
        "log_prob is .*inf.* where the network gives its initial output",
    ),
    "the density of another distribution": (
        drawing(log_prob=lambda self, action: OneHot(self.logs / 2, self.mask).log_prob(action)),
        "log_prob is not the density of what `sample` draws: the expected gradient",
    ),
    "half a density": (
        drawing(log_prob=lambda self, action: OneHot.log_prob(self, action) / 2),
        r"entropy is 0\.\d+ nats off the expected negative log_prob",
    ),
    "a wrong entropy": (
        drawing(entropy=lambda self: OneHot.entropy(self) + 0.1),
        r"entropy is 0\.\d+ nats off the expected negative log_prob",
    ),
    "a wrong mode": (
        drawing(mode=lambda self: OneHot(-self.logs, self.mask).mode()),
        "a sample is more probable than the mode",
    ),
    "neighbours in the density": (
        drawing(log_prob=lambda self, action: OneHot.log_prob(self, action) - len(action)),
        "log_prob of a lane alone is not what it is beside others",
    ),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_each_broken_rule_is_said(broken: ActionFamily, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_family(broken)


def test_parameters_of_padding_must_not_matter() -> None:
    def leaking(self: OneHot) -> Tensor:
        return OneHot.entropy(self) + 0.1 * self.scores.sum(-1)

    def init(self: Any, scores: Tensor, mask: Tensor) -> None:
        OneHot.__init__(self, scores, mask)
        self.scores = scores  # those of padding, too

    with pytest.raises(ContractError, match="padding enters log_prob or entropy"):
        check_family(drawing(__init__=init, entropy=leaking))


def test_a_check_leaves_the_order_of_chance_as_it_was() -> None:
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    check_family("gate")
    assert torch.equal(torch.rand(3), expected)


def test_only_families_are_checked() -> None:
    with pytest.raises(InputError, match="is no action family"):
        check_family(Gate)  # type: ignore[arg-type]
