"""How much of native attention is kept, and what takes the place of the rest."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from rlattn.actions.base import ActionFamily
from rlattn.actions.distributions import Joint, MaskedDirichlet, shares
from rlattn.actions.registry import register_family
from rlattn.actions.whole import one_normal
from rlattn.steering import Allocation, SteeringMode


@register_family
class Mix(ActionFamily):
    """Native attention and attention that the policy gives, the same for all layers and heads.

    An action holds, first, how much native attention to keep, from -1 for nothing to 1 for all;
    then the shares of the positions in the rest, as `simplex` has them.
    """

    name = "mix"
    mode: SteeringMode = "mix"
    initial = (0.0, 0.0, -1.0)

    def space(self, source: int) -> gymnasium.Space[Any]:
        """A box from -1 to 1, of one number and one for each position."""
        return gymnasium.spaces.Box(-1.0, 1.0, (1 + source,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> Joint:
        """Normal for what is kept; shares whose mode is the softmax of the positions' scores."""
        kept = one_normal(parameters[..., 1:], mask)
        given = MaskedDirichlet.of_scores(parameters[..., 0], mask)
        return Joint([kept, given], [1, mask.shape[1]])

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """The shares, weighed by what is not kept."""
        return Allocation(self.mode, shares(action[:, 1:], mask), self._weight(action)[:, 0])

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """All positions, for native attention looks everywhere; where none is kept, the shares'."""
        return torch.where(self._weight(action) < 1, mask, shares(action[:, 1:], mask) > 0)

    @staticmethod
    def _weight(action: Tensor) -> Tensor:
        return (1 - action[:, :1].clamp(-1.0, 1.0)) / 2
