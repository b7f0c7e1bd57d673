"""Open or shut, for each source position; at least one stays open."""

from __future__ import annotations

from typing import Any

import gymnasium
import torch
from torch import Tensor

from rlattn.actions.base import OpeningFamily
from rlattn.actions.distributions import NonEmptyBernoulli
from rlattn.actions.registry import register_family

_BOUND = 6.0
"""The policy's own log-odds: a gate that it holds shut is still tried about every 400th time."""


@register_family
class Gate(OpeningFamily):
    """Which source positions may be read, the same for all layers and heads.

    An action that opens no valid position, which the distribution never draws, opens the last
    one: it holds the end-of-sequence token, on which attention rests when it has nothing to read.
    """

    name = "gate"
    initial = (2.0,)
    chooses_reads = True

    def space(self, source: int) -> gymnasium.Space[Any]:
        """One bit for each position; 1 is open."""
        return gymnasium.spaces.MultiBinary(source)

    def distribution(self, parameters: Tensor, mask: Tensor) -> NonEmptyBernoulli:
        """Gates from each position's log-odds of being open."""
        # Bounded smoothly: a gate that is shut for good could never find out that it should open.
        return NonEmptyBernoulli(_BOUND * torch.tanh(parameters[..., 0] / _BOUND), mask)

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The valid positions that are open; the last one where none is."""
        opened = (action > 0.5) & mask
        if bool(opened.any(-1).all()):
            return opened
        last = mask & (mask.long().cumsum(-1) == mask.sum(-1, keepdim=True))
        return torch.where(opened.any(-1, keepdim=True), opened, last)
