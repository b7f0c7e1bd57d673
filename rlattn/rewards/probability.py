"""How much more probable the steered host finds the reference."""

from __future__ import annotations

from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Probability(Reward):
    """Probability of the reference's next token, as gain over native.

    Where likelihood speaks loudest, of tokens that the host will not write whatever it looks at,
    this is nearly silent: it speaks where the host wavers between tokens.
    """

    name = "probability"
    needs: frozenset[Need] = frozenset({"native", "reference"})

    def __call__(self, step: Step) -> Tensor:
        """The gain, from -1 to 1, ``[lanes]``."""
        steered, native = step.log_prob, step.native_log_prob
        return steered(step.reference_token).exp() - native(step.reference_token).exp()
