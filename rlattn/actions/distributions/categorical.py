"""One of the valid positions."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution

_LIMIT = 40.0
"""Scores are kept within it: exp(-40) still has full precision in float32."""


def masked_log_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Log-probabilities over the valid positions; elsewhere a finite number that counts nowhere.

    Args:
        scores: ``[lanes, source]``.
        mask: True where valid, at least one per lane, ``[lanes, source]``.
    """
    # A finite number, for -inf times a probability of zero would be NaN in the gradient.
    lowest = torch.finfo(scores.dtype).min / 2
    return scores.clamp(-_LIMIT, _LIMIT).masked_fill(~mask, lowest).log_softmax(-1)


class MaskedCategorical(MaskedDistribution):
    """One of the valid positions; an action is its index, ``[lanes, 1]``.

    Args:
        scores: Log-probabilities up to a constant, ``[lanes, source]``.
        mask: True at real source tokens, at least one per lane, ``[lanes, source]``.
    """

    def __init__(self, scores: Tensor, mask: Tensor) -> None:
        self._log_probs, self._mask = masked_log_softmax(scores, mask), mask

    def sample(self) -> Tensor:
        """An exact draw, ``[lanes, 1]``."""
        probabilities = self._log_probs.exp().masked_fill(~self._mask, 0.0)
        return torch.multinomial(probabilities, 1).float()

    def mode(self) -> Tensor:
        """The most probable position, ``[lanes, 1]``."""
        return self._log_probs.argmax(-1, keepdim=True).float()

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability of positions ``[lanes, 1]``, ``[lanes]``."""
        return self._log_probs.gather(-1, action.long())[:, 0]

    def entropy(self) -> Tensor:
        """Entropy over the valid positions, ``[lanes]``."""
        terms = self._log_probs.exp() * self._log_probs
        return -terms.masked_fill(~self._mask, 0.0).sum(-1)
