"""Every kind of action family, and which numbers of an action are about padding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.actions import FAMILIES, ActionFamily, Before, make_family

LAYERED = ("bias", "gate", "gate:sentence:1", "mix", "position", "topk:2", "topk:45%", "window")
SPECS = [
    *sorted(set(FAMILIES) - {"per-layer"}),
    "gate:3",
    "gate:sentence:1",
    "topk:45%",
    *(f"per-layer:2:{inside}" for inside in LAYERED),
]
EVERY_FAMILY = pytest.mark.parametrize("spec", SPECS)


def tokens_of(mask: Tensor) -> Tensor:
    """Sources whose every third token ends a sentence, the same in all lanes."""
    return (torch.arange(mask.shape[1]) % 3).expand(mask.shape)


def family_for(spec: str, mask: Tensor) -> ActionFamily:
    """A family that knows what the lanes read."""
    nowhere = torch.zeros(mask.shape)
    return make_family(spec).on(Before(nowhere, nowhere, tokens_of(mask)))


def about_the_source(family: ActionFamily, lengths: list[int], source: int) -> Tensor:
    """True at the numbers of an action that are not about padding, `[lanes, size]`."""
    full = torch.ones(1, family.size(source))
    rows = [family.widen(family.narrow(full, length), source) for length in lengths]
    return torch.cat(rows).bool()
