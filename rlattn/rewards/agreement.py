"""How surely the steered host still says what the native one would."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Agreement(Reward):
    """The probability of the token that native attention would choose, from 0 to 1.

    Bounded where `Fidelity` is not: a step that goes wrong costs the same however wrong it goes,
    as it does in the translation.
    """

    name = "agreement"
    needs: frozenset[Need] = frozenset({"native_token"})

    def __call__(self, step: Step) -> Tensor:
        """The probability, ``[lanes]``."""
        return step.log_prob(step.native_token).exp()
