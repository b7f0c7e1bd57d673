"""Gates of which at least one is open."""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions.distributions.base import MaskedDistribution

_LIMIT = 40.0
"""Log-odds are kept within it: exp(-40) still has full precision in float32."""


class NonEmptyBernoulli(MaskedDistribution):
    """Independent Bernoulli gates, given that not all of them are shut.

    With ``q = prod(1 - p)`` the chance that all are shut, every set of open gates but the empty
    one has its independent probability divided by ``1 - q``.

    Args:
        logits: Log-odds of being open, ``[lanes, source]``.
        mask: True at real source tokens, at least one per lane, ``[lanes, source]``.
    """

    def __init__(self, logits: Tensor, mask: Tensor) -> None:
        self._logits = logits.clamp(-_LIMIT, _LIMIT)
        self._mask = mask

    @cached_property
    def _log_q(self) -> Tensor:
        return -self._sum(F.softplus(self._logits))

    @cached_property
    def _some(self) -> Tensor:
        """The chance that at least one is open, ``[lanes]``."""
        return -torch.expm1(self._log_q)

    def sample(self) -> Tensor:
        """An exact draw of open gates, ``[lanes, source]``."""
        # Exact, without rejection: draw which gate is the first one open, given that there is one;
        # those before it are shut and those after it are free.
        shut_so_far = -F.softplus(self._logits).masked_fill(~self._mask, 0.0).cumsum(-1)
        first_at_most = torch.expm1(shut_so_far) / torch.expm1(self._log_q)[:, None]
        u = torch.rand_like(first_at_most[:, :1])
        positions = torch.arange(self._mask.shape[1], device=u.device)
        reached = (first_at_most >= u) & self._mask
        # Rounding may leave the last ratio just under a u near 1: then the last valid one opens.
        last = (self._mask * positions).amax(-1, keepdim=True)
        first = torch.where(
            reached.any(-1, keepdim=True), reached.float().argmax(-1, keepdim=True), last
        )
        free = torch.rand_like(self._logits) < torch.sigmoid(self._logits)
        opened = (positions == first) | ((positions > first) & free)
        return (opened & self._mask).float()

    def straight_through(self, temperature: float) -> Tensor:
        """A draw of open gates whose gradient is that of gates which are open in part.

        The straight-through Gumbel estimator (Jang et al., 2017; Bengio et al., 2013): with
        logistic noise, the difference of two Gumbels, gates are open where the log-odds are above
        zero, and change as their sigmoid does. Where none is, the one that comes closest opens;
        this alone makes the draw differ from `sample`'s.

        Args:
            temperature: Above 0; the higher, the less a gate's certainty damps its gradient.

        Returns:
            Zeros and ones, ``[lanes, source]``.
        """
        noisy = self._logits + torch.rand_like(self._logits).logit(eps=1e-6)
        opened = self._largest_or(noisy > 0, noisy)
        soft = torch.sigmoid(noisy / temperature).masked_fill(~self._mask, 0.0)
        return opened + (soft - soft.detach())

    def mode(self) -> Tensor:
        """The most probable set of open gates, ``[lanes, source]``."""
        # With every gate more likely shut, the best non-empty set is the likeliest gate alone.
        return self._largest_or(self._logits > 0, self._logits)

    def log_prob(self, action: Tensor) -> Tensor:
        """Log-probability of sets of open gates, none empty, ``[lanes]``."""
        independent = action * self._logits - F.softplus(self._logits)
        return self._sum(independent) - self._some.log()

    def entropy(self) -> Tensor:
        """Entropy over the non-empty sets, ``[lanes]``."""
        logits = self._logits
        independent = self._sum(F.softplus(logits) - logits * torch.sigmoid(logits))
        return (independent + self._log_q.exp() * self._log_q) / self._some + self._some.log()

    def _largest_or(self, opened: Tensor, numbers: Tensor) -> Tensor:
        """The valid gates that are open, or the one with the largest number where none is."""
        opened = opened & self._mask
        best = numbers.masked_fill(~self._mask, -torch.inf).argmax(-1, keepdim=True)
        alone = torch.zeros_like(opened).scatter(-1, best, True)
        return torch.where(opened.any(-1, keepdim=True), opened, alone).float()

    def _sum(self, terms: Tensor) -> Tensor:
        return terms.masked_fill(~self._mask, 0.0).sum(-1)
