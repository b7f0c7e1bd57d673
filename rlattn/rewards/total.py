"""The weighted sum of reward terms."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from rlattn.errors import InputError
from rlattn.rewards.base import REWARDS, Need, Reward, Step
from rlattn.rewards.reads import ReadsTarget


class TotalReward:
    """A weighted sum of terms, each of which stays visible by name.

    Args:
        weights: The weight of each term, by the name of a registered term.
        reads_target: Adapt the weight of the reads until this fraction of the source is read; a
            weight that is given is where it starts.

    Raises:
        InputError: If there is no such term, a weight is not finite, or there are none.
    """

    def __init__(self, weights: Mapping[str, float], reads_target: float | None = None) -> None:
        if reads_target is not None and not 0 < reads_target <= 1:
            raise InputError(f"reads target {reads_target}: expected a fraction in (0, 1]")
        self.target = None
        if reads_target is not None:
            self.target = ReadsTarget(reads_target)
            if "reads" in weights:
                self.target = ReadsTarget(reads_target, max(0.0, -weights["reads"]))
            weights = {**weights, "reads": -self.target.price}
        if not weights:
            raise InputError("no reward: expected at least one term, such as fidelity=1")
        for name, weight in weights.items():
            if name not in REWARDS:
                known = ", ".join(sorted(REWARDS))
                raise InputError(f"unknown reward {name!r}: expected one of {known}")
            if not math.isfinite(weight):
                raise InputError(f"reward {name}={weight}: expected a finite weight")
        self.terms: dict[str, Reward] = {name: REWARDS[name]() for name in weights}
        self.weights = dict(weights)

    @property
    def needs(self) -> frozenset[Need]:
        """What the terms ask for together."""
        return frozenset().union(*(term.needs for term in self.terms.values()))

    def __call__(self, step: Step) -> tuple[Tensor, Tensor]:
        """The reward of a step.

        Returns:
            The weighted sum, ``[lanes]``, and the terms before weighting, ``[lanes, terms]``.
        """
        values = torch.stack([term(step) for term in self.terms.values()], dim=1)
        weights = values.new_tensor([self.weights[name] for name in self.terms])
        return values @ weights, values

    def finish(self, reads: float, count: int) -> None:
        """Tells the target of reads, if there is one, of finished sentences.

        Args:
            reads: The sum of their reads fractions.
            count: How many they are.
        """
        if self.target is not None:
            self.target.update(reads, count)
            self.weights["reads"] = -self.target.price
