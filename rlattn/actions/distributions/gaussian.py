"""Independent normal distributions."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution

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
