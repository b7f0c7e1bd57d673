"""How far the host's probabilities are from the truth."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Brier(Reward):
    """The Brier score (Brier, 1950) of the reference's token or label, negated: 0 is best.

    It is the squared distance from the host's probabilities to those of one who knows: 2 for one
    who is sure of something wrong. Unlike likelihood it is bounded, and unlike accuracy it tells
    how sure the host is.
    """

    name = "brier"
    needs: frozenset[Need] = frozenset({"reference"})

    def __call__(self, step: Step) -> Tensor:
        """From -2 to 0, ``[lanes]``."""
        right = step.log_prob(step.reference_token).exp()
        return 2 * right - 1 - step.log_probs.exp().square().sum(-1)
