"""What a distribution over actions is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor


class MaskedDistribution(ABC):
    """A distribution over actions; padding never enters any of its numbers.

    Actions are float32 ``[lanes, size]``. Where an action has a number for each source position,
    `size` is the source's length, and samples and modes are zero on padding.
    """

    @abstractmethod
    def sample(self) -> Tensor:
        """One action per lane, ``[lanes, size]``."""

    @abstractmethod
    def mode(self) -> Tensor:
        """The most probable action of each lane, ``[lanes, size]``."""

    @abstractmethod
    def log_prob(self, action: Tensor) -> Tensor:
        """Log-density of actions ``[lanes, size]``, in nats, ``[lanes]``."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """Entropy in nats, ``[lanes]``."""
