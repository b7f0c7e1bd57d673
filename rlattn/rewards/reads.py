"""What reading costs, and a price of it that finds a target."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from rlattn.rewards.base import Reward, Step, register_reward


@register_reward
class Reads(Reward):
    """Open positions over valid positions at this step; give it a negative weight."""

    name: ClassVar[str] = "reads"

    def __call__(self, step: Step) -> Tensor:
        """The fraction, ``[lanes]``."""
        return step.reads_fraction


class ReadsTarget:
    """The price of reads as a dual variable: it rises while too much is read, and falls after.

    A Lagrange multiplier for "as good as possible while reading at most `target`", driven by the
    excess and its sum over time, as in PID Lagrangian methods (Stooke et al., 2020): the first
    pushes at once and lets go at once, the second finds the price that holds the target.

    Args:
        target: The fraction of the source to read, in (0, 1].
        price: What a read costs when the target is met, at first; the weight of the reads is the
            negative of the price.
        rate: How far that moves per update and unit of excess.
        gain: How much more a read costs per unit of excess.
        sentences: How many sentences make an update.
    """

    def __init__(
        self,
        target: float,
        price: float = 0.3,
        rate: float = 0.05,
        gain: float = 0.3,
        sentences: int = 256,
    ) -> None:
        if not 0 < target <= 1:
            raise ValueError(f"a target of reads lies in (0, 1], got {target}")
        self.target, self.price = target, price
        self._settled, self._rate, self._gain, self._sentences = price, rate, gain, sentences
        self._sum, self._count = 0.0, 0

    def update(self, reads: float, count: int) -> None:
        """Takes in finished sentences.

        Args:
            reads: The sum of their reads fractions.
            count: How many they are.
        """
        self._sum, self._count = self._sum + reads, self._count + count
        if self._count < self._sentences:
            return
        excess = self._sum / self._count - self.target
        # Bounded, so that the beginning, when everything is read, does not drive it far off.
        bounded = min(max(excess, -_BOUND), _BOUND)
        self._settled = max(0.0, self._settled + self._rate * bounded)
        self.price = max(0.0, self._settled + self._gain * excess)
        self._sum, self._count = 0.0, 0


_BOUND = 0.1
"""The most excess that counts towards the lasting part of the price in one update."""
