"""How much likelier the steered host finds the reference."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Likelihood(Reward):
    """Log-likelihood of the reference's next token, as gain over native, in nats."""

    name = "likelihood"
    needs: frozenset[Need] = frozenset({"native", "reference"})

    def __call__(self, step: Step) -> Tensor:
        """The gain in nats, ``[lanes]``."""
        return step.log_prob(step.reference_token) - step.native_log_prob(step.reference_token)


@register_reward
class LogLikelihood(Reward):
    """Log-likelihood of the reference's next token, in nats; it needs no native attention."""

    name = "log_likelihood"
    needs: frozenset[Need] = frozenset({"reference"})

    def __call__(self, step: Step) -> Tensor:
        """In nats, at most 0, ``[lanes]``."""
        return step.log_prob(step.reference_token)
