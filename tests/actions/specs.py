"""Every kind of action family, and which numbers of an action are about padding."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.actions import FAMILIES, ActionFamily

SPECS = sorted(set(FAMILIES) - {"per-layer"})
SPECS += [f"per-layer:2:{spec}" for spec in ("bias", "gate", "mix", "position", "topk:2", "window")]
EVERY_FAMILY = pytest.mark.parametrize("spec", SPECS)


def about_the_source(family: ActionFamily, lengths: list[int], source: int) -> Tensor:
    """True at the numbers of an action that are not about padding, `[lanes, size]`."""
    full = torch.ones(1, family.size(source))
    rows = [family.widen(family.narrow(full, length), source) for length in lengths]
    return torch.cat(rows).bool()
