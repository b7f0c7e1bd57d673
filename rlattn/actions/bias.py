"""A number for each source position, added to the attention logits of every layer and head."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from torch import Tensor

from rlattn.actions.base import ActionFamily
from rlattn.actions.distributions import DiagonalGaussian
from rlattn.actions.registry import register_family
from rlattn.steering import Allocation, SteeringMode


@register_family
class Bias(ActionFamily):
    """Residual to native attention: an action of zeros changes nothing.

    Actions lie in [-1, 1]; `SCALE` is how far the attention logits move at the ends.
    """

    name = "bias"
    mode: SteeringMode = "bias"
    initial = (0.0, -1.5)
    SCALE: ClassVar[float] = 4.0

    def space(self, source: int) -> gymnasium.Space[Any]:
        """A box from -1 to 1."""
        return gymnasium.spaces.Box(-1.0, 1.0, (source,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> DiagonalGaussian:
        """A normal distribution from each position's mean and log standard deviation."""
        # A step of PPO moves a mean by a share of the standard deviation. Noise costs, so that
        # shrinks, and below a seventh learning comes to a halt; in [-1, 1] none above 1 is needed.
        return DiagonalGaussian(parameters[..., 0], parameters[..., 1].clamp(-2.0, 0.0), mask)

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """A bias on the attention logits, `SCALE` times the clipped action."""
        return Allocation(self.mode, self.SCALE * action.clamp(-1.0, 1.0).masked_fill(~mask, 0.0))
