"""Whether the steered host writes the reference's token."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Accuracy(Reward):
    """One where the host chooses the reference's next token, zero elsewhere."""

    name = "accuracy"
    needs: frozenset[Need] = frozenset({"reference"})

    def __call__(self, step: Step) -> Tensor:
        """One or zero, ``[lanes]``."""
        return (step.token == step.reference_token).float()
