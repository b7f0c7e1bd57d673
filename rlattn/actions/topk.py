"""The k source positions that are read, in the order of choice."""

from __future__ import annotations

import re
from typing import Any, Self

import gymnasium
import numpy as np
import torch
from torch import Tensor

from rlattn.actions.base import OpeningFamily
from rlattn.actions.distributions import PlackettLuce
from rlattn.actions.registry import register_family, whole_number
from rlattn.errors import InputError

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?)%")


@register_family
class TopK(OpeningFamily):
    """k source positions, or a share of them, the same for all layers and heads.

    An index beyond the source is its last position, and one that comes twice counts once. A share
    is rounded to whole positions, of which there is at least one.

    Args:
        k: How many positions.
        percent: How many of a hundred positions, in place of k.

    Raises:
        InputError: If k is below 1, or the share not in (0, 100].
    """

    name = "topk"
    initial = (0.0,)

    def __init__(self, k: int = 4, percent: float | None = None) -> None:
        if k < 1:
            raise InputError(f"topk:{k}: expected at least one position")
        if percent is not None and not 0 < percent <= 100:
            raise InputError(f"topk:{percent:g}%: expected more than 0 % and at most 100 %")
        self.k, self.percent = k, percent

    @classmethod
    def of(cls, argument: str | None) -> Self:
        """``topk``, ``topk:k``, or ``topk:share%``."""
        if argument is None:
            return cls()
        k = whole_number(argument)
        if k is not None:
            return cls(k)
        if share := _PERCENT.fullmatch(argument):
            return cls(percent=float(share[1]))
        raise InputError(
            f"action topk:{argument}: expected a number of positions, as in topk:4, or a share of "
            "them, as in topk:30%"
        )

    @property
    def spec(self) -> str:
        """``topk:k``, or ``topk:share%``."""
        if self.percent is None:
            return f"{self.name}:{self.k}"
        return f"{self.name}:{np.format_float_positional(self.percent, trim='-')}%"

    def space(self, source: int) -> gymnasium.Space[Any]:
        """The indices of so many positions."""
        count = self.k
        if self.percent is not None:
            # By the arithmetic of `_wanted`: a lane must never draw more than there is room for.
            count = int(self._wanted(torch.tensor([source])))
        return gymnasium.spaces.MultiDiscrete(np.full(count, source))

    def distribution(self, parameters: Tensor, mask: Tensor) -> PlackettLuce:
        """Positions from each one's score."""
        k = self.size(mask.shape[1])
        return PlackettLuce(parameters[..., 0], mask, k, self._wanted(mask.sum(-1)))

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """These positions, each once."""
        length = mask.sum(-1, keepdim=True)
        index = torch.minimum(action.long().clamp(min=0), length - 1)
        # What comes after all positions are drawn says nothing: it repeats the first.
        drawn = torch.arange(index.shape[1], device=mask.device) < self._wanted(length)
        return torch.zeros_like(mask).scatter_(-1, torch.where(drawn, index, index[:, :1]), True)

    def _wanted(self, length: Tensor) -> Tensor:
        """How many positions are drawn of sources of some lengths, int64, of the same shape."""
        if self.percent is None:
            return length.clamp(max=self.k)
        return (length.double() * (self.percent / 100)).round().long().clamp(min=1)
