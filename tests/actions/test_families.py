"""What every action family keeps to."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.actions import FAMILIES, make_family
from rlattn.errors import InputError

EVERY_FAMILY = pytest.mark.parametrize("name", sorted(FAMILIES))


@EVERY_FAMILY
def test_any_point_of_the_space_maps_to_a_legal_allocation(name: str) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    space = family.space(6)
    space.seed(0)
    for _ in range(20):
        action = torch.tensor(np.stack([space.sample() for _ in range(3)])).float()
        allocation = family.allocation(action, mask)
        allocation.check_shape(lanes=3, layers=2, heads=2, source=6)
        reads = family.reads(action, mask)
        assert (reads >= 1).all()
        assert (reads <= mask.sum(-1)).all()


@EVERY_FAMILY
def test_what_stands_on_padding_does_not_matter(name: str) -> None:
    family, mask = make_family(name), torch.arange(6) < torch.tensor([[6], [3], [1]])
    parameters, action = torch.randn(3, 6, len(family.initial)), torch.rand(3, 6).round()
    other = torch.where(mask[..., None], parameters, torch.randn_like(parameters))
    changed = torch.where(mask, action, 1 - action)
    here, there = family.distribution(parameters, mask), family.distribution(other, mask)
    assert torch.equal(here.log_prob(action), there.log_prob(changed))
    assert torch.equal(here.entropy(), there.entropy())
    assert torch.equal(here.mode(), there.mode())
    torch.manual_seed(1)
    sample = here.sample()
    torch.manual_seed(1)
    assert torch.equal(sample, there.sample())
    ours, theirs = family.allocation(action, mask), family.allocation(changed, mask)
    assert torch.equal(ours.values, theirs.values)
    assert torch.equal(family.reads(action, mask), family.reads(changed, mask))


@EVERY_FAMILY
def test_more_padding_changes_nothing(name: str) -> None:
    family, mask = make_family(name), torch.arange(4) < torch.tensor([[4], [2]])
    parameters, action = torch.randn(2, 4, len(family.initial)), torch.rand(2, 4).round()
    wide = torch.nn.functional.pad
    here = family.distribution(parameters, mask)
    there = family.distribution(wide(parameters, (0, 0, 0, 3)), wide(mask, (0, 3)))
    assert torch.allclose(here.log_prob(action), there.log_prob(wide(action, (0, 3))))
    assert torch.allclose(here.entropy(), there.entropy())
    assert torch.equal(wide(here.mode(), (0, 3)), there.mode())


@EVERY_FAMILY
def test_samples_and_modes_are_float_and_zero_on_padding(name: str) -> None:
    family, mask = make_family(name), torch.arange(4) < torch.tensor([[4], [2]])
    distribution = family.distribution(torch.randn(2, 4, len(family.initial)), mask)
    for action in (distribution.sample(), distribution.mode()):
        assert action.dtype == torch.float32
        assert not action[~mask].any()


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="unknown action 'stare': expected one of bias, gate"):
        make_family("stare")
