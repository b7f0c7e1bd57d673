"""A number for each source position, added to the attention logits of every layer and head."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import gymnasium
import numpy as np
import torch
from torch import Tensor

from rlattn.actions.base import ActionFamily, MaskedDistribution
from rlattn.steering import Allocation, SteeringMode

_LOG_SQRT_2PI = 0.5 * math.log(2 * math.pi)


class DiagonalGaussian(MaskedDistribution):
    """Independent normal distributions on the valid positions.

    Args:
        mean: ``[lanes, source]``.
        log_std: Natural logarithm of the standard deviation, ``[lanes, source]``.
        mask: True at real source tokens, ``[lanes, source]``.
    """

    def __init__(self, mean: Tensor, log_std: Tensor, mask: Tensor) -> None:
        self._mean = mean.masked_fill(~mask, 0.0)
        self._log_std, self._mask = log_std, mask

    def sample(self) -> Tensor:
        """The mean with normal noise, ``[lanes, source]``."""
        noise = torch.randn_like(self._mean).masked_fill(~self._mask, 0.0)
        return self._mean + self._log_std.exp() * noise

    def mode(self) -> Tensor:
        """The mean, ``[lanes, source]``."""
        return self._mean

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-density summed over the valid positions, ``[lanes]``."""
        score = (action - self._mean) / self._log_std.exp()
        return self._sum(-0.5 * score.square() - self._log_std - _LOG_SQRT_2PI)

    def entropy(self) -> Tensor:
        """Differential entropy summed over the valid positions, ``[lanes]``."""
        return self._sum(0.5 + _LOG_SQRT_2PI + self._log_std)

    def _sum(self, terms: Tensor) -> Tensor:
        return terms.masked_fill(~self._mask, 0.0).sum(-1)


class Bias(ActionFamily):
    """Residual to native attention: an action of zeros changes nothing.

    Actions lie in [-1, 1]; `SCALE` is how far the attention logits move at the ends.
    """

    name: ClassVar[str] = "bias"
    mode: ClassVar[SteeringMode] = "bias"
    initial: ClassVar[tuple[float, ...]] = (0.0, -1.5)
    SCALE: ClassVar[float] = 4.0

    def space(self, source: int) -> gymnasium.Space[Any]:
        """A box from -1 to 1."""
        return gymnasium.spaces.Box(-1.0, 1.0, (source,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> DiagonalGaussian:
        """A normal distribution from each position's mean and log standard deviation."""
        # A standard deviation outside of [0.01, 1] serves no action in [-1, 1].
        return DiagonalGaussian(parameters[..., 0], parameters[..., 1].clamp(-4.6, 0.0), mask)

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """A bias on the attention logits, `SCALE` times the clipped action."""
        return Allocation(self.mode, self.SCALE * action.clamp(-1.0, 1.0).masked_fill(~mask, 0.0))
