"""The k source positions that are read, in the order of choice."""

from __future__ import annotations

from typing import Any, Self

import gymnasium
import numpy as np
import torch
from torch import Tensor

from rlattn.actions.base import OpeningFamily
from rlattn.actions.distributions import PlackettLuce
from rlattn.actions.registry import register_family
from rlattn.errors import InputError


@register_family
class TopK(OpeningFamily):
    """k source positions, the same for all layers and heads.

    An index beyond the source is its last position, and one that comes twice counts once.

    Args:
        k: How many positions.

    Raises:
        InputError: If k is below 1.
    """

    name = "topk"
    initial = (0.0,)

    def __init__(self, k: int = 4) -> None:
        if k < 1:
            raise InputError(f"topk:{k}: expected at least one position")
        self.k = k

    @classmethod
    def of(cls, argument: str | None) -> Self:
        """``topk``, or ``topk:k``."""
        if argument is None:
            return cls()
        if not argument.isdecimal():
            raise InputError(f"action topk:{argument}: expected a number of positions: topk:4")
        return cls(int(argument))

    @property
    def spec(self) -> str:
        """``topk:k``."""
        return f"{self.name}:{self.k}"

    def space(self, source: int) -> gymnasium.Space[Any]:
        """The indices of k positions."""
        return gymnasium.spaces.MultiDiscrete(np.full(self.k, source))

    def distribution(self, parameters: Tensor, mask: Tensor) -> PlackettLuce:
        """Positions from each one's score."""
        return PlackettLuce(parameters[..., 0], mask, self.k)

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """These positions, each once."""
        length = mask.sum(-1, keepdim=True)
        index = torch.minimum(action.long().clamp(min=0), length - 1)
        # What comes after all positions are drawn says nothing: it repeats the first.
        index = torch.where(torch.arange(self.k, device=mask.device) < length, index, index[:, :1])
        return torch.zeros_like(mask).scatter_(-1, index, True)
