"""Independent parts of one action, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution


class Joint(MaskedDistribution):
    """Distributions over parts of an action that know nothing of each other.

    Args:
        parts: In the order in which an action holds them.
        sizes: How many numbers each part has.
    """

    def __init__(self, parts: Sequence[MaskedDistribution], sizes: Sequence[int]) -> None:
        self._parts, self._sizes = list(parts), list(sizes)

    def sample(self) -> Tensor:
        """A draw of each part."""
        return torch.cat([part.sample() for part in self._parts], dim=-1)

    def mode(self) -> Tensor:
        """The mode of each part."""
        return torch.cat([part.mode() for part in self._parts], dim=-1)

    def log_prob(self, action: Tensor) -> Tensor:
        """The sum of the parts' log-densities, ``[lanes]``."""
        pieces = zip(self._parts, action.split_with_sizes(self._sizes, dim=-1), strict=True)
        return torch.stack([part.log_prob(piece) for part, piece in pieces]).sum(0)

    def entropy(self) -> Tensor:
        """The sum of the parts' entropies, ``[lanes]``."""
        return torch.stack([part.entropy() for part in self._parts]).sum(0)
