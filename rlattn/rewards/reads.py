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
    """The price of reads as a dual variable: adapted until a target of reads is met.

    A Lagrange multiplier for "as good as possible while reading at most `target`", driven by the
    excess and its sum over time, as in PID Lagrangian methods (Stooke et al., 2020). The excess
    counts for much, so that the price lets go as the target comes near: gates that were driven
    shut by too high a price are slow to open again.

    Args:
        target: The fraction of the source to read, in (0, 1].
        price: The most that a read costs, and what it costs at first; the weight of the reads is
            the negative of the price.
        gain: What a read costs per unit of excess.
        rate: How far the lasting part of the price moves per update and unit of excess.
        sentences: How many sentences make an update.
    """

    def __init__(
        self,
        target: float,
        price: float = 0.5,
        gain: float = 6.0,
        rate: float = 0.05,
        sentences: int = 256,
    ) -> None:
        if not 0 < target <= 1:
            raise ValueError(f"a target of reads lies in (0, 1], got {target}")
        self.target, self.price = target, price
        self._most, self._gain, self._rate, self._sentences = price, gain, rate, sentences
        self._lasting, self._sum, self._count = 0.0, 0.0, 0

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
        price = self._lasting + self._gain * excess
        if price < self._most:
            # Not before: the long way down from reading everything says nothing about the price
            # that holds the target.
            self._lasting = min(max(self._lasting + self._rate * excess, 0.0), self._most)
        self.price = min(max(price, 0.0), self._most)
        self._sum, self._count = 0.0, 0
