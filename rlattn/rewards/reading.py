"""What is read of the source: how much, how evenly, how completely, how far."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.rewards.base import Reward
from rlattn.rewards.registry import register_reward
from rlattn.rewards.step import Step


@register_reward
class Reads(Reward):
    """Open positions over valid positions at this step; give it a negative weight."""

    name = "reads"

    def __call__(self, step: Step) -> Tensor:
        """The fraction, ``[lanes]``."""
        return step.reads_fraction


@register_reward
class Entropy(Reward):
    """Entropy of the attention that was used, in nats; a negative weight makes it decide."""

    name = "entropy"

    def __call__(self, step: Step) -> Tensor:
        """Of the mean over layers and heads, ``[lanes]``."""
        entropy: Tensor = torch.special.entr(step.attention).sum(-1)
        return entropy


@register_reward
class Coverage(Reward):
    """How much of the source this step was the first to attend to, as a fraction of it.

    A position is covered when the attention on it has summed up to one. Over a sentence the term
    sums up to the mean over positions of ``min(coverage, 1)``, on which the coverage penalty of
    Wu et al. (2016) is built too.
    """

    name = "coverage"
    immediate = False

    def __init__(self) -> None:
        self._before = torch.zeros(0)

    def __call__(self, step: Step) -> Tensor:
        """From 0 to 1, ``[lanes]``."""
        now = step.coverage.clamp(max=1.0).sum(-1) / step.mask.sum(-1)
        if self._before.shape != now.shape:
            self._before = torch.zeros_like(now)
        newly = now - self._before.masked_fill(step.age == 1, 0.0)
        self._before = now
        return newly.clamp(min=0.0)


@register_reward
class Latency(Reward):
    """How far right the sentence's allocations have reached, as a fraction of the source.

    The mean over a sentence's steps is the average proportion of Cho and Esipova (2016): what a
    listener has to wait for. Give it a negative weight.
    """

    name = "latency"
    immediate = False

    def __init__(self) -> None:
        self._reached = torch.zeros(0, dtype=torch.long)

    def __call__(self, step: Step) -> Tensor:
        """The rightmost position that was open so far, counted from 1, over all, ``[lanes]``."""
        places = torch.arange(1, step.mask.shape[1] + 1, device=step.mask.device)
        now = (step.opened * places).amax(-1)
        fresh = step.age == 1
        if self._reached.shape == now.shape:
            now = torch.where(fresh, now, torch.maximum(self._reached, now))
        self._reached = now
        return now / step.mask.sum(-1)


@register_reward
class Length(Reward):
    """One for every token that is written; a negative weight makes translations shorter."""

    name = "length"

    def __call__(self, step: Step) -> Tensor:
        """Ones, ``[lanes]``."""
        return torch.ones_like(step.reads_fraction)
