"""Hard attention: one source position, and nothing else, is read."""

from __future__ import annotations

from typing import Any

import gymnasium
import torch
from torch import Tensor

from rlattn.actions.base import OpeningFamily
from rlattn.actions.distributions import MaskedCategorical
from rlattn.actions.registry import register_family


@register_family
class Position(OpeningFamily):
    """One source position, the same for all layers and heads.

    An index beyond the source, which the distribution never draws, is its last position.
    """

    name = "position"
    initial = (0.0,)

    def space(self, source: int) -> gymnasium.Space[Any]:
        """The index of a position."""
        return gymnasium.spaces.Discrete(source)

    def distribution(self, parameters: Tensor, mask: Tensor) -> MaskedCategorical:
        """A position from each one's score."""
        return MaskedCategorical(parameters[..., 0], mask)

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The position itself."""
        last = mask.sum(-1, keepdim=True) - 1
        index = torch.minimum(action.long().clamp(min=0), last)
        return torch.zeros_like(mask).scatter_(-1, index, True)
