"""Pooling by attention: one learned query per head looks over a text's states."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rlattn.steering import Allocation
from rlattn.steering.attention import native_weights
from rlattn.steering.beside import weights_beside, widened


class AttentionPool(nn.Module):
    """A head over the states of a frozen encoder: logits from what its queries look at.

    A column of its own stands before the first position. It holds a learned state, is always open,
    and says what can be said of a text of which nothing is read.

    Args:
        d_model: Width of the states.
        labels: How many labels there are.
        heads: How many queries look, each over all of the state.
    """

    def __init__(self, d_model: int, labels: int, heads: int) -> None:
        super().__init__()
        self.query = nn.Linear(d_model, heads, bias=False)
        self.nothing = nn.Parameter(torch.zeros(d_model))
        self.nothing_score = nn.Parameter(torch.zeros(heads))
        self.output = nn.Linear(heads * d_model, labels)

    @property
    def heads(self) -> int:
        """How many queries look."""
        return self.query.out_features

    def scores(self, states: Tensor) -> Tensor:
        """How much each query is for each state, before any allocation.

        Args:
            states: ``[rows, source, d_model]``.

        Returns:
            ``[rows, source, heads]``.
        """
        scores: Tensor = self.query(states) * states.shape[-1] ** -0.5
        return scores

    def weights(self, scores: Tensor, mask: Tensor, allocation: Allocation | None) -> Tensor:
        """Attention under an allocation.

        Args:
            scores: As `scores` gives them.
            mask: True at positions that may be read, ``[rows, source]``.
            allocation: Over ``source``; None for native attention.

        Returns:
            ``[rows, heads, 1 + source]``, the column of its own first; sums to one.

        Raises:
            SteeringError: If the allocation does not fit.
        """
        rows, source = mask.shape
        beside = self.nothing_score.view(1, -1, 1, 1).expand(rows, -1, -1, -1)
        logits = torch.cat([beside, scores.transpose(1, 2)[:, :, None]], dim=3).float()
        own = nn.functional.pad(mask, (1, 0), value=False)
        valid = nn.functional.pad(mask, (1, 0), value=True)[:, None, None]
        if allocation is None:
            return native_weights(logits, valid)[:, :, 0]
        allocation.check_shape(rows, 1, self.heads, source)
        wide = widened(allocation, own, 1)
        return weights_beside(logits, valid, wide, 0, own, check=True)[:, :, 0]

    def forward(self, states: Tensor, weights: Tensor) -> Tensor:
        """Logits from what was looked at.

        Args:
            states: ``[rows, source, d_model]``.
            weights: As `weights` gives them.

        Returns:
            ``[rows, labels]``.
        """
        weights = weights.to(states.dtype)
        pooled = torch.matmul(weights[:, :, 1:], states) + weights[:, :, :1] * self.nothing
        logits: Tensor = self.output(pooled.flatten(1))
        return logits
