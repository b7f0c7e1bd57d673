"""What an action family is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import gymnasium
import torch.nn.functional as F
from gymnasium.spaces import Box
from torch import Tensor

from rlattn.actions.distributions import MaskedDistribution
from rlattn.actions.segments import Segments
from rlattn.errors import InputError
from rlattn.hosts import Host
from rlattn.steering import Allocation, SteeringMode


class Before(NamedTuple):
    """What is known of lanes before they act.

    Attributes:
        attention: Where the last step looked, averaged over layers and heads, float32,
            ``[lanes, source]``; zero at the first step.
        coverage: The sum of all such attention so far, likewise.
        tokens: The tokens of the source, int64, ``[lanes, source]``; None unless a family reads
            them, or where they are not known.
    """

    attention: Tensor
    coverage: Tensor
    tokens: Tensor | None = None

    def each(self, change: Callable[[Tensor], Tensor]) -> Before:
        """The same with all that is known changed alike, such as other lanes of it."""
        return Before(*(rows if rows is None else change(rows) for rows in self))  # type: ignore[arg-type]


class ActionFamily(ABC):
    """A space, a distribution on it, and its map to an allocation.

    Attributes:
        name: What users call it.
        initial: What the policy network gives for each source position before it has learned;
            its length is the count of numbers a position needs.
        mode: How its allocations steer.
        chooses_reads: Whether an action decides how many positions are read.
        reads_tokens: Whether what an action does depends on the tokens of the source.
        segments: Which neighbouring positions share what the network gives; None where none do.
        argument: What stood behind the name, as `make_family` was told.
    """

    name: str
    initial: tuple[float, ...]
    mode: SteeringMode
    chooses_reads: bool = False
    reads_tokens: bool = False
    segments: Segments | None = None
    argument: str | None = None

    @classmethod
    def of(cls, argument: str | None) -> Self:
        """The family that stands behind ``name``, or ``name:argument``.

        Raises:
            InputError: If the argument cannot be used; by default, if there is one.
        """
        if argument is not None:
            raise InputError(f"action {cls.name}:{argument}: {cls.name} takes nothing after it")
        return cls()

    @property
    def spec(self) -> str:
        """The name, with what was asked for beside it, as `make_family` takes it."""
        return self.name if self.argument is None else f"{self.name}:{self.argument}"

    def fit(self, host: Host) -> ActionFamily:
        """The family for a host: what depends on the host is settled, and stands in its `spec`.

        Raises:
            InputError: If it cannot be used with this host.
        """
        return self

    def on(self, before: Before) -> ActionFamily:
        """The family for lanes of which this is known; itself where none of it matters."""
        return self

    @abstractmethod
    def space(self, source: int) -> gymnasium.Space[Any]:
        """The action space of one lane whose source has at most `source` positions.

        Where an action has numbers that are about positions, they come last and in the order of
        the positions, so that a shorter source has the space that is left when some are cut off.
        """

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

    def size(self, source: int) -> int:
        """How many numbers an action on that many positions has."""
        shape = self.space(source).shape
        assert shape is not None
        return math.prod(shape)

    def narrow(self, action: Tensor, source: int) -> Tensor:
        """The part of actions of the space that is about the first `source` positions.

        Args:
            action: Of a space for at least as many positions, ``[lanes, ...]``.
            source: How many.

        Returns:
            float32, ``[lanes, size(source)]``.
        """
        return action.reshape(len(action), -1)[:, : self.size(source)].float()

    def nearest(self, action: Tensor) -> Tensor:
        """The nearest actions of the space: boxes are clipped, as trainers clip them, to [-1, 1].

        Args:
            action: ``[lanes, size]``.
        """
        return action.clamp(-1.0, 1.0) if isinstance(self.space(1), Box) else action

    def widen(self, action: Tensor, source: int) -> Tensor:
        """Actions on fewer positions as actions on `source`, zero where there is nothing more.

        Args:
            action: ``[lanes, size]``.
            source: At least as many positions as the actions are on.

        Returns:
            ``[lanes, size(source)]``.
        """
        return F.pad(action, (0, self.size(source) - action.shape[1]))


class OpeningFamily(ActionFamily):
    """A family whose actions open some source positions, the same for all layers and heads."""

    mode: SteeringMode = "gate"

    @abstractmethod
    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The valid positions that an action opens, at least one, bool, ``[lanes, source]``."""

    def allocation(self, action: Tensor, mask: Tensor) -> Allocation:
        """A gate with these positions open."""
        return Allocation(self.mode, self.opened(action, mask))
