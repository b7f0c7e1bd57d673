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

    Dual ascent on the Lagrangian of "as good as possible while reading at most `target`", as for
    constrained Markov decision processes (Altman, 1999).

    Args:
        target: The fraction of the source to read, in (0, 1].
        price: What a read costs at first; the weight of the reads is its negative.
        rate: How far the price moves per update and unit of excess.
        sentences: How many sentences make an update.
    """

    def __init__(
        self, target: float, price: float = 0.5, rate: float = 0.1, sentences: int = 256
    ) -> None:
        if not 0 < target <= 1:
            raise ValueError(f"a target of reads lies in (0, 1], got {target}")
        self.target, self.price, self._rate, self._sentences = target, price, rate, sentences
        self._sum, self._count = 0.0, 0

    def update(self, reads: float, count: int) -> None:
        """Takes in finished sentences.

        Args:
            reads: The sum of their reads fractions.
            count: How many they are.
        """
        self._sum, self._count = self._sum + reads, self._count + count
        if self._count >= self._sentences:
            excess = self._sum / self._count - self.target
            self.price = max(0.0, self.price + self._rate * excess)
            self._sum, self._count = 0.0, 0
