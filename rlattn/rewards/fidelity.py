"""How close the steered host stays to the native one."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Fidelity(Reward):
    """``-KL(native || steered)`` of the next token, in nats; zero is perfect."""

    name = "fidelity"
    needs: frozenset[Need] = frozenset({"native"})

    def __call__(self, step: Step) -> Tensor:
        """The negative divergence, ``[lanes]``."""
        native = step.native_log_probs
        return (native.exp() * (step.log_probs - native)).sum(-1)
