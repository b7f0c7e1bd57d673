"""What an action family is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import gymnasium
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions.distributions import MaskedDistribution
from rlattn.steering import Allocation, SteeringMode


class ActionFamily(ABC):
    """A space, a distribution on it, and its map to an allocation.

    Attributes:
        name: What users call it.
        initial: What the policy network gives for each source position before it has learned;
            its length is the count of numbers a position needs.
        mode: How its allocations steer.
        per_position: Whether an action has a number for each source position, in their order;
            otherwise its size does not depend on the source.
    """

    name: ClassVar[str]
    initial: ClassVar[tuple[float, ...]]
    mode: ClassVar[SteeringMode]
    per_position: ClassVar[bool] = True

    @property
    def spec(self) -> str:
        """The name, with what was asked for beside it, as `make_family` takes it."""
        return self.name

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
            action: ``[lanes, size]``.
            mask: True at real source tokens, ``[lanes, source]``.
        """

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The valid positions that an action leaves open in any layer or head; at least one.

        All of them, for a family that shuts none.

        Returns:
            bool, ``[lanes, source]``.
        """
        return mask

    def reads(self, action: Tensor, mask: Tensor) -> Tensor:
        """How many positions that is, float32, ``[lanes]``."""
        return self.opened(action, mask).sum(-1).float()

    def narrow(self, action: Tensor, source: int) -> Tensor:
        """The part of actions of the space that is about the first `source` positions."""
        action = action.reshape(len(action), -1)
        return action[:, :source].float() if self.per_position else action.float()

    def widen(self, action: Tensor, source: int) -> Tensor:
        """Actions on fewer positions as actions of the space for `source` positions."""
        return F.pad(action, (0, source - action.shape[1])) if self.per_position else action


class OpeningFamily(ActionFamily):
    """A family whose actions open some source positions, the same for all layers and heads."""

    mode: ClassVar[SteeringMode] = "gate"

    @abstractmethod
    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The valid positions that an action opens, at least one, bool, ``[lanes, source]``."""

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """A gate with these positions open."""
        return Allocation(self.mode, self.opened(action, mask))
