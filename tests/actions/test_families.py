"""What every action family keeps to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from rlattn.actions import FAMILIES, ActionFamily, Position, make_family, register_family
from rlattn.actions.gate import Gate
from rlattn.errors import InputError
from rlattn.steering import Allocation
from tests.actions.specs import EVERY_FAMILY, about_the_source, family_for


def of(space: gymnasium.Space[Any], row: np.ndarray) -> Any:
    """A row of floats as a point of a space of integers."""
    if isinstance(space, Discrete):
        return int(row[0])
    return row.astype(space.dtype)


def drawn(space: gymnasium.Space[Any], family: ActionFamily, lanes: int, source: int) -> Tensor:
    """Any points of a space, as `ActionFamily.allocation` takes them."""
    points = np.stack([np.asarray(space.sample()) for _ in range(lanes)])
    return family.narrow(torch.as_tensor(points), source)


def on(mask: Tensor, allocation: Allocation) -> Tensor:
    """What an allocation says of the valid positions of every lane."""
    values = allocation.values[..., : mask.shape[1]]
    return values.movedim(0, -2)[..., mask].float()


@EVERY_FAMILY
def test_any_point_of_the_space_maps_to_a_legal_allocation(spec: str) -> None:
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    family = family_for(spec, mask)
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
def test_what_stands_on_padding_does_not_matter(spec: str) -> None:
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    family = family_for(spec, mask)
    parameters = torch.randn(3, 6, len(family.initial))
    other = torch.where(mask[..., None], parameters, torch.randn_like(parameters))
    action = family.distribution(parameters, mask).sample().detach()
    mine = about_the_source(family, [6, 3, 1], 6)
    changed = torch.where(mine, action, 1 - action)
    here, there = family.distribution(parameters, mask), family.distribution(other, mask)
    assert torch.equal(here.log_prob(action), there.log_prob(changed))
    assert torch.equal(here.mode(), there.mode())
    for draw in ("sample", "entropy"):
        torch.manual_seed(1)
        ours = getattr(here, draw)()
        torch.manual_seed(1)
        assert torch.equal(ours, getattr(there, draw)())
    ours, theirs = family.allocation(action, mask), family.allocation(changed, mask)
    assert torch.equal(on(mask, ours), on(mask, theirs))
    assert torch.equal(family.reads(action, mask), family.reads(changed, mask))


@EVERY_FAMILY
def test_more_padding_changes_nothing(spec: str) -> None:
    mask = torch.arange(4) < torch.tensor([[4], [2]])
    family = family_for(spec, mask)
    parameters = torch.randn(2, 4, len(family.initial))
    wide = torch.nn.functional.pad
    here = family.distribution(parameters, mask)
    wider = wide(mask, (0, 3))
    more = family_for(spec, wider)
    there = more.distribution(wide(parameters, (0, 0, 0, 3)), wider)
    action = here.sample().detach()
    widened = family.widen(action, 7)
    assert torch.equal(family.narrow(widened, 4), action)
    assert torch.allclose(here.log_prob(action), there.log_prob(widened), atol=1e-5)
    if "topk" not in spec:  # whose entropy is estimated from a draw
        assert torch.allclose(here.entropy(), there.entropy(), atol=1e-5)
    assert torch.allclose(family.widen(here.mode(), 7), there.mode(), atol=1e-6)
    ours, theirs = family.allocation(action, mask), more.allocation(widened, wider)
    assert torch.allclose(on(mask, ours), on(mask, theirs), atol=1e-6)
    assert (ours.weight is None) == (theirs.weight is None)
    assert ours.weight is None or torch.allclose(ours.weight, theirs.weight)
    assert torch.equal(family.reads(action, mask), more.reads(widened, wider))


@EVERY_FAMILY
def test_samples_and_modes_are_float_and_zero_on_padding(spec: str) -> None:
    mask = torch.arange(4) < torch.tensor([[4], [2]])
    family = family_for(spec, mask)
    distribution = family.distribution(torch.randn(2, 4, len(family.initial)), mask)
    for action in (distribution.sample(), distribution.mode()):
        assert action.dtype == torch.float32
        assert not action[~about_the_source(family, [4, 2], 4)].any()
        space = family.space(4)
        for row in family.widen(action, 4).numpy():
            assert space.contains(row.clip(-1, 1) if isinstance(space, Box) else of(space, row))


@EVERY_FAMILY
@pytest.mark.parametrize("value", [1e4, -1e4, 0.0])
def test_extreme_outputs_stay_finite_with_their_gradients(spec: str, value: float) -> None:
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    family = family_for(spec, mask)
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
def test_a_lane_does_not_see_its_neighbours(spec: str) -> None:
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    family = family_for(spec, mask)
    parameters = torch.randn(3, 6, len(family.initial))
    together = family.distribution(parameters, mask)
    action = together.sample().detach()
    for lane in range(3):
        own = family_for(spec, mask[lane, None])
        alone = own.distribution(parameters[lane, None], mask[lane, None])
        one = slice(lane, lane + 1)
        assert torch.allclose(together.log_prob(action)[one], alone.log_prob(action[one]))
        assert torch.allclose(together.mode()[one], alone.mode())


@EVERY_FAMILY
def test_the_entropy_is_the_mean_surprise(spec: str) -> None:
    mask = torch.tensor([[True] * 4 + [False]]).expand(60_000, -1)
    family = family_for(spec, mask)
    torch.manual_seed(0)
    parameters = torch.randn(1, 5, len(family.initial)).expand(60_000, -1, -1)
    distribution = family.distribution(parameters, mask)
    surprise = -distribution.log_prob(distribution.sample())
    entropy = distribution.entropy()
    error = 5 * (surprise.var() + entropy.var()).sqrt() / 60_000**0.5
    assert (surprise.mean() - entropy.mean()).abs() < error + 1e-4


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="unknown action 'stare': expected one of bias, gate"):
        make_family("stare")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("topk:0", "at least one"),
        ("topk:some", "a number of positions"),
        ("topk:0%", "more than 0 %"),
        ("topk:101%", "at most 100 %"),
        ("topk:-5%", "a number of positions"),
        ("topk:", "a number of positions"),
        ("gate:", "positions that share a gate"),
        ("gate:0", "at least 1"),
        ("gate:word", "positions that share a gate"),
        ("gate:3:4", "positions that share a gate"),
        ("gate:sentence:", "positions that share a gate"),
        ("gate:sentence:5,", "positions that share a gate"),
        ("window:3", "window takes nothing after it"),
        ("bias:", "bias takes nothing after it"),
    ],
)
def test_what_stands_after_a_name_must_make_sense(spec: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        make_family(spec)


@EVERY_FAMILY
def test_a_family_can_be_made_again_from_what_it_says_of_itself(spec: str) -> None:
    family = make_family(spec)
    assert make_family(family.spec).spec == family.spec
    assert make_family(family.spec).space(9) == family.space(9)


class TestAFamilyOfOnesOwn:
    @pytest.fixture(autouse=True)
    def _forgotten_after_the_test(self) -> Iterator[None]:
        known = dict(FAMILIES)
        yield
        FAMILIES.clear()
        FAMILIES.update(known)

    def test_it_is_known_by_its_name(self) -> None:
        @register_family
        class Timid(Gate):
            """A gate that is nearly shut before it has learned."""

            name = "timid"
            initial = (-2.0,)

        assert isinstance(make_family("timid"), Timid)
        assert make_family("timid").spec == "timid"
        assert register_family(Timid) is Timid, "twice does no harm"

    def test_what_stands_behind_its_name_stays_in_its_spec(self) -> None:
        @register_family
        class Near(Position):
            name = "near"

            def __init__(self, reach: int = 0) -> None:
                self.reach = reach

            @classmethod
            def of(cls, argument: str | None) -> Near:
                return cls(int(argument or 0))

        assert make_family("near:3").reach == 3
        assert make_family(make_family("near:3").spec).argument == "3"

    def test_it_takes_its_own_place_when_it_is_defined_again(self) -> None:
        for start in (1.0, 2.0):

            @register_family
            class Again(Gate):
                name = "again"
                initial = (start,)

        assert make_family("again").initial == (2.0,)

    def test_only_families_are_registered(self) -> None:
        with pytest.raises(InputError, match="is no action family"):
            register_family(dict)

    @pytest.mark.parametrize(
        ("taken", "reason"), [("bias", "already registered"), ("my:gate", "holds a colon")]
    )
    def test_a_name_must_be_free_and_plain(self, taken: str, reason: str) -> None:
        class Other(Gate):
            name = taken

        with pytest.raises(ValueError, match=reason):
            register_family(Other)


def test_boxes_are_clipped_and_nothing_else_is() -> None:
    far = torch.tensor([[2.0, -3.0, 0.5]])
    assert make_family("bias").nearest(far).tolist() == [[1.0, -1.0, 0.5]]
    assert make_family("per-layer:1:bias").nearest(far).tolist() == [[1.0, -1.0, 0.5]]
    assert torch.equal(make_family("topk:3").nearest(far), far)
