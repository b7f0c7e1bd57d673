"""How sharply the host looks: one temperature for native attention."""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium
import numpy as np
from torch import Tensor

from rlattn.actions.base import ActionFamily
from rlattn.actions.distributions import DiagonalGaussian
from rlattn.actions.registry import register_family
from rlattn.actions.whole import one_normal
from rlattn.steering import Allocation, SteeringMode


@register_family
class Sharpness(ActionFamily):
    """A factor on the attention logits, the same for all layers and heads.

    An action is one number, from -1 for the flattest attention through 0 for the native one to 1
    for the sharpest; the factor is `RANGE` to its power.
    """

    name = "sharpness"
    mode: SteeringMode = "scale"
    initial = (0.0, -1.0)
    RANGE: ClassVar[float] = 8.0

    def space(self, source: int) -> gymnasium.Space[Any]:
        """One number from -1 to 1."""
        return gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> DiagonalGaussian:
        """Normal; mean and log standard deviation are means over the source."""
        return one_normal(parameters, mask)

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """The same factor for all positions."""
        factor = self.RANGE ** action.clamp(-1.0, 1.0)
        return Allocation(self.mode, factor.expand(mask.shape))
