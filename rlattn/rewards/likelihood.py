"""How much likelier the steered host finds the reference."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from rlattn.rewards.base import Need, Reward, Step, register_reward


@register_reward
class Likelihood(Reward):
    """Log-likelihood of the reference's next token, as gain over native, in nats."""

    name: ClassVar[str] = "likelihood"
    needs: ClassVar[frozenset[Need]] = frozenset({"native", "reference"})

    def __call__(self, step: Step) -> Tensor:
        """The gain in nats, ``[lanes]``."""
        assert step.reference_token is not None
        return step.log_prob(step.reference_token) - step.native_log_prob(step.reference_token)
