"""Shares of the valid positions."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution

_LIMIT = 6.0
"""Scores are kept within it: the sharpest share is about 400 times the others'."""

_LEAST = 1e-7
"""Shares below it cannot be told apart in actions, which lie in [-1, 1] in float32."""


class MaskedDirichlet(MaskedDistribution):
    """A Dirichlet distribution on the valid positions' shares.

    An action holds ``2 * share - 1`` for each position. Densities are those of all shares but the
    last, on the scale of actions.

    Args:
        concentration: Above 1, so that there is one mode, ``[lanes, source]``.
        mask: True at real source tokens, at least one per lane, ``[lanes, source]``.
    """

    def __init__(self, concentration: Tensor, mask: Tensor) -> None:
        self._concentration, self._mask = concentration.masked_fill(~mask, 1.0), mask
        self._total = self._sum(self._concentration)
        count = mask.sum(-1)
        self._count = count.to(concentration)
        # The logarithm of the constant that normalises, on the scale of actions.
        self._constant = (
            self._sum(torch.lgamma(self._concentration))
            - torch.lgamma(self._total)
            + (self._count - 1) * math.log(2)
        )

    @classmethod
    def of_scores(cls, scores: Tensor, mask: Tensor) -> Self:
        """The distribution whose mode is the softmax of scores ``[lanes, source]``."""
        return cls(1 + scores.clamp(-_LIMIT, _LIMIT).exp(), mask)

    def sample(self) -> Tensor:
        """An exact draw, ``[lanes, source]``."""
        return self._action(torch._standard_gamma(self._concentration))

    def mode(self) -> Tensor:
        """The most probable shares, ``[lanes, source]``."""
        return self._action(self._concentration - 1)

    def _action(self, weights: Tensor) -> Tensor:
        weights = weights.masked_fill(~self._mask, 0.0)
        share = weights / weights.sum(-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
        return (2 * share - 1).masked_fill(~self._mask, 0.0)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-density of shares, ``[lanes]``."""
        share = shares(action, self._mask).clamp(min=_LEAST)
        density = self._sum((self._concentration - 1) * share.log()) - self._constant
        # One position leaves no choice.
        return density.masked_fill(self._count == 1, 0.0)

    def entropy(self) -> Tensor:
        """Differential entropy, ``[lanes]``."""
        concentration, total = self._concentration, self._total
        expected = self._sum((concentration - 1) * torch.digamma(concentration))
        entropy = self._constant + (total - self._count) * torch.digamma(total) - expected
        return entropy.masked_fill(self._count == 1, 0.0)

    def _sum(self, terms: Tensor) -> Tensor:
        return terms.masked_fill(~self._mask, 0.0).sum(-1)


def shares(action: Tensor, mask: Tensor) -> Tensor:
    """The shares of actions ``[lanes, source]``; equal ones where an action gives none."""
    weights = ((action.clamp(-1.0, 1.0) + 1) / 2).masked_fill(~mask, 0.0)
    none = weights.sum(-1, keepdim=True) < _LEAST
    weights = torch.where(none, mask.to(weights), weights)
    return weights / weights.sum(-1, keepdim=True)
