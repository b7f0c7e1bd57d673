"""The attention itself: shares of the source positions that replace it in every layer and head."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from torch import Tensor

from rlattn.actions.base import ActionFamily
from rlattn.actions.distributions import MaskedDirichlet, shares
from rlattn.actions.registry import register_family
from rlattn.steering import Allocation, SteeringMode


@register_family
class Simplex(ActionFamily):
    """Attention that the policy gives, the same for all layers and heads."""

    name = "simplex"
    mode: SteeringMode = "replace"
    initial = (0.0,)

    def space(self, source: int) -> gymnasium.Space[Any]:
        """A box from -1, no share, to 1; what shares are too much or too little is scaled."""
        return gymnasium.spaces.Box(-1.0, 1.0, (source,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> MaskedDirichlet:
        """Shares whose mode is the softmax of the positions' scores."""
        return MaskedDirichlet.of_scores(parameters[..., 0], mask)

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """The shares in place of attention."""
        return Allocation(self.mode, shares(action, mask))

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The positions that have a share at all."""
        return shares(action, mask) > 0
