"""What every action family keeps to."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from rlattn.actions import FAMILIES, ActionFamily, make_family
from rlattn.errors import InputError

EVERY_FAMILY = pytest.mark.parametrize("name", sorted(FAMILIES))


def of(space: gymnasium.Space[Any], row: np.ndarray) -> Any:
    """A row of floats as a point of a space of integers."""
    if isinstance(space, Discrete):
        return int(row[0])
    return row.astype(space.dtype)


def drawn(space: gymnasium.Space[Any], family: ActionFamily, lanes: int, source: int) -> Tensor:
    """Any points of a space, as `ActionFamily.allocation` takes them."""
    points = np.stack([np.asarray(space.sample()) for _ in range(lanes)])
    return family.narrow(torch.as_tensor(points), source)


@EVERY_FAMILY
def test_any_point_of_the_space_maps_to_a_legal_allocation(name: str) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    space = family.space(6)
    space.seed(0)
    for _ in range(20):
        action = drawn(space, family, 3, 6)
        allocation = family.allocation(action, mask)
        allocation.check_shape(lanes=3, layers=2, heads=2, source=6)
        opened = family.opened(action, mask)
        assert opened.any(-1).all()
        assert not (opened & ~mask).any()
        assert torch.equal(family.reads(action, mask), opened.sum(-1).float())


@EVERY_FAMILY
def test_what_stands_on_padding_does_not_matter(name: str) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    parameters = torch.randn(3, 6, len(family.initial))
    other = torch.where(mask[..., None], parameters, torch.randn_like(parameters))
    action = changed = family.distribution(parameters, mask).sample().detach()
    if family.per_position:
        changed = torch.where(mask, action, 1 - action)
    here, there = family.distribution(parameters, mask), family.distribution(other, mask)
    assert torch.equal(here.log_prob(action), there.log_prob(changed))
    assert torch.equal(here.mode(), there.mode())
    for draw in ("sample", "entropy"):
        torch.manual_seed(1)
        ours = getattr(here, draw)()
        torch.manual_seed(1)
        assert torch.equal(ours, getattr(there, draw)())
    ours, theirs = family.allocation(action, mask), family.allocation(changed, mask)
    assert torch.equal(ours.values, theirs.values)
    assert torch.equal(family.reads(action, mask), family.reads(changed, mask))


@EVERY_FAMILY
def test_more_padding_changes_nothing(name: str) -> None:
    family, mask = make_family(name), torch.arange(4) < torch.tensor([[4], [2]])
    parameters = torch.randn(2, 4, len(family.initial))
    wide = torch.nn.functional.pad
    here = family.distribution(parameters, mask)
    wider = wide(mask, (0, 3))
    there = family.distribution(wide(parameters, (0, 0, 0, 3)), wider)
    action = here.sample().detach()
    widened = family.widen(action, 7)
    assert torch.equal(family.narrow(widened, 4), action)
    assert torch.allclose(here.log_prob(action), there.log_prob(widened), atol=1e-5)
    if name != "topk":  # whose entropy is estimated from a draw
        assert torch.allclose(here.entropy(), there.entropy(), atol=1e-5)
    assert torch.allclose(family.widen(here.mode(), 7), there.mode(), atol=1e-6)
    ours, theirs = family.allocation(action, mask), family.allocation(widened, wider)
    assert torch.allclose(wide(ours.values.float(), (0, 3)), theirs.values.float(), atol=1e-6)
    assert torch.equal(family.reads(action, mask), family.reads(widened, wider))


@EVERY_FAMILY
def test_samples_and_modes_are_float_and_zero_on_padding(name: str) -> None:
    family, mask = make_family(name), torch.arange(4) < torch.tensor([[4], [2]])
    distribution = family.distribution(torch.randn(2, 4, len(family.initial)), mask)
    for action in (distribution.sample(), distribution.mode()):
        assert action.dtype == torch.float32
        if family.per_position:
            assert not action[~mask].any()
        space = family.space(4)
        for row in family.widen(action, 4).numpy():
            assert space.contains(row.clip(-1, 1) if isinstance(space, Box) else of(space, row))


@EVERY_FAMILY
@pytest.mark.parametrize("value", [1e4, -1e4, 0.0])
def test_extreme_outputs_stay_finite_with_their_gradients(name: str, value: float) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    for mixed in (False, True):
        start = torch.full((3, 6, len(family.initial)), value)
        start[:, ::2] *= -1 if mixed else 1
        parameters = start.requires_grad_()
        distribution = family.distribution(parameters, mask)
        for action in (distribution.sample().detach(), distribution.mode().detach()):
            assert action.isfinite().all()
            total = distribution.log_prob(action).sum() + distribution.entropy().sum()
            assert total.isfinite()
            (gradient,) = torch.autograd.grad(total, parameters, retain_graph=True)
            assert gradient.isfinite().all()
            assert not gradient[~mask].any()


@EVERY_FAMILY
def test_a_lane_does_not_see_its_neighbours(name: str) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    parameters = torch.randn(3, 6, len(family.initial))
    together = family.distribution(parameters, mask)
    action = together.sample().detach()
    for lane in range(3):
        alone = family.distribution(parameters[lane, None], mask[lane, None])
        one = slice(lane, lane + 1)
        assert torch.allclose(together.log_prob(action)[one], alone.log_prob(action[one]))
        assert torch.allclose(together.mode()[one], alone.mode())


@EVERY_FAMILY
def test_the_entropy_is_the_mean_surprise(name: str) -> None:
    family, mask = make_family(name), torch.tensor([[True] * 4 + [False]])
    torch.manual_seed(0)
    parameters = torch.randn(1, 5, len(family.initial)).expand(60_000, -1, -1)
    distribution = family.distribution(parameters, mask.expand(60_000, -1))
    surprise = -distribution.log_prob(distribution.sample())
    entropy = distribution.entropy()
    error = 5 * (surprise.var() + entropy.var()).sqrt() / 60_000**0.5
    assert (surprise.mean() - entropy.mean()).abs() < error + 1e-4


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="unknown action 'stare': expected one of bias, gate"):
        make_family("stare")


def test_what_stands_after_the_name_says_how_many_positions() -> None:
    assert make_family("topk").spec == "topk:4"
    assert make_family("topk:7").space(9).shape == (7,)
    for spec, reason in {
        "topk:0": "at least one",
        "topk:some": "a number of positions",
        "topk:": "a number of positions",
        "gate:3": "takes nothing",
    }.items():
        with pytest.raises(InputError, match=reason):
            make_family(spec)
