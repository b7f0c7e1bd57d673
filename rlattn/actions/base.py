"""What an action family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import gymnasium
from torch import Tensor

from rlattn.steering import Allocation


class MaskedDistribution(ABC):
    """A distribution over actions on source positions; padding never enters any of its numbers.

    Samples and modes are float32 ``[lanes, source]`` with zeros on padding.
    """

    @abstractmethod
    def sample(self) -> Tensor:
        """One action per lane, ``[lanes, source]``."""

    @abstractmethod
    def mode(self) -> Tensor:
        """The most probable action of each lane, ``[lanes, source]``."""

    @abstractmethod
    def log_prob(self, action: Tensor) -> Tensor:
        """Log-density of actions ``[lanes, source]``, in nats, ``[lanes]``."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """Entropy in nats, ``[lanes]``."""


class ActionFamily(ABC):
    """A space, a distribution on it, and its map to an allocation.

    Attributes:
        name: What users call it.
        initial: What the policy network gives for each source position before it has learned;
            its length is the count of numbers a position needs.
    """

    name: ClassVar[str]
    initial: ClassVar[tuple[float, ...]]

    @abstractmethod
    def space(self, source: int) -> gymnasium.Space[Any]:
        """The action space of one lane whose source has at most `source` positions."""

    @abstractmethod
    def distribution(self, parameters: Tensor, mask: Tensor) -> MaskedDistribution:
        """The distribution that a network's output describes.

        Args:
            parameters: ``[lanes, source, len(initial)]``.
            mask: True at real source tokens, ``[lanes, source]``.
        """

    @abstractmethod
    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """What an action does; every point of the space maps to a legal allocation.

        Args:
            action: ``[lanes, source]``.
            mask: True at real source tokens, ``[lanes, source]``.
        """

    @abstractmethod
    def reads(self, action: Tensor, mask: Tensor) -> Tensor:
        """How many source positions the action leaves open in any layer or head, ``[lanes]``."""
