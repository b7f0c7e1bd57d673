"""Positions drawn in an order, without replacement."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution
from rlattn.actions.distributions.categorical import masked_log_softmax


class PlackettLuce(MaskedDistribution):
    """Positions drawn one after the other without replacement (Plackett, 1975; Luce, 1959).

    An action holds the indices in the order of drawing, ``[lanes, k]``. Where there are fewer than
    k valid positions all are drawn, and what would come after the last that is drawn is 0.

    Args:
        scores: The first draw's log-probabilities up to a constant, ``[lanes, source]``.
        mask: True at real source tokens, at least one per lane, ``[lanes, source]``.
        k: How many are drawn at most.
        counts: How many each lane draws, int64, ``[lanes]``; None for k in all.

    Attributes:
        first: Log-probabilities of the first draw, over the valid positions; elsewhere a finite
            number that counts nowhere, ``[lanes, source]``.
    """

    def __init__(self, scores: Tensor, mask: Tensor, k: int, counts: Tensor | None = None) -> None:
        self._scores, self._mask, self._k = scores, mask, k
        self.first = masked_log_softmax(scores, mask)
        valid = mask.sum(-1)
        most = valid if counts is None else torch.minimum(counts, valid)
        self._drawn = torch.arange(k, device=mask.device) < most[:, None]

    def sample(self) -> Tensor:
        """An exact draw, ``[lanes, k]``."""
        # The order of scores with Gumbel noise is Plackett-Luce (Yellott, 1977).
        noise = -torch.empty_like(self.first).exponential_().log()
        return self._best(self.first + noise)

    def mode(self) -> Tensor:
        """The most probable action, which has the highest scores in falling order."""
        return self._best(self.first)

    def _best(self, scores: Tensor) -> Tensor:
        scores = scores.masked_fill(~self._mask, -torch.inf)
        wanted = min(self._k, scores.shape[1])
        best = scores.topk(wanted, dim=-1).indices
        best = torch.nn.functional.pad(best, (0, self._k - wanted))
        return best.masked_fill(~self._drawn, 0).float()

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability of ordered draws ``[lanes, k]``, ``[lanes]``."""
        total = torch.zeros_like(self.first[:, 0])
        for step, log_probs, _ in self._walk(action):
            chosen = log_probs.gather(-1, action[:, step, None].long())[:, 0]
            total = total + chosen.masked_fill(~self._drawn[:, step], 0.0)
        return total

    def entropy(self) -> Tensor:
        """An unbiased estimate of the entropy, with unbiased gradients, ``[lanes]``.

        The chain rule makes it the sum of the entropies of each draw given those before it. Of the
        ways to come there one is drawn, for there are too many to sum over; one draw is exact.
        """
        total = way = torch.zeros_like(self.first[:, 0])
        action = self.sample()
        for step, log_probs, left in self._walk(action):
            terms = (log_probs.exp() * log_probs).masked_fill(~left, 0.0)
            here = -terms.sum(-1).masked_fill(~self._drawn[:, step], 0.0)
            # The second summand is zero, and its gradient is that of the way's probability.
            total = total + here + here.detach() * (way - way.detach())
            chosen = log_probs.gather(-1, action[:, step, None].long())[:, 0]
            way = way + chosen.masked_fill(~self._drawn[:, step], 0.0)
        return total

    def _walk(self, action: Tensor) -> Iterator[tuple[int, Tensor, Tensor]]:
        """For each draw, what each position's log-probability was, and which were left."""
        left = self._mask
        for step in range(self._k):
            yield step, masked_log_softmax(self._scores, left), left
            left = left.scatter(-1, action[:, step, None].long(), False)
