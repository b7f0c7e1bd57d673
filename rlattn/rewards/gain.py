"""What each look at a text does for its label."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Need, Step


@register_reward
class Gain(Reward):
    """By how much a step made the text's label likelier, in nats.

    Before the first step every label is as likely as any other. So over an episode the gains sum
    up to what the label's log-probability is at its end, over that of a guess.
    """

    name = "gain"
    needs: frozenset[Need] = frozenset({"label"})
    immediate = False

    def __init__(self) -> None:
        self._before = torch.zeros(0)

    def __call__(self, step: Step) -> Tensor:
        """The difference of log-probabilities, ``[lanes]``."""
        now = step.log_prob(step.label)
        if self._before.shape != now.shape:
            self._before = torch.zeros_like(now)
        gain = now - self._before.masked_fill(step.age == 1, -math.log(step.logits.shape[1]))
        self._before = now
        return gain
