"""Open or shut, for each source position, block of them, or sentence; at least one stays open."""

from __future__ import annotations

import math
from typing import Any, Self

import gymnasium
import torch
from torch import Tensor

from rlattn.actions.base import Before, OpeningFamily
from rlattn.actions.distributions import NonEmptyBernoulli
from rlattn.actions.registry import register_family, whole_number
from rlattn.actions.segments import Blocks, Segments, Sentences
from rlattn.errors import InputError
from rlattn.hosts import Host
from rlattn.steering import Allocation

_BOUND = 6.0
"""The policy's own log-odds: a gate that it holds shut is still tried about every 400th time."""

_CLOSEST = 0.99
"""How close to that bound gates may begin, as a fraction of it."""


@register_family
class Gate(OpeningFamily):
    """Which source positions may be read, the same for all layers and heads.

    An action that opens nothing, which the distribution never draws, opens the last position or
    segment: it holds the end-of-sequence token, on which attention rests when it has nothing to
    read.

    Args:
        segments: Which positions share a gate; None where each has its own.
    """

    name = "gate"
    initial = (2.0,)
    chooses_reads = True

    def __init__(self, segments: Segments | None = None) -> None:
        self.segments = segments
        self.reads_tokens = segments is not None and segments.reads_tokens

    @classmethod
    def of(cls, argument: str | None) -> Self:
        """``gate``, ``gate:16`` for blocks, or ``gate:sentence``."""
        if argument is None:
            return cls()
        kind, colon, ids = argument.partition(":")
        size = None if colon else whole_number(kind)
        if size is not None:
            return cls(Blocks(size))
        sentences = Sentences.of(ids) if colon else Sentences()
        if kind == "sentence" and sentences is not None:
            return cls(sentences)
        raise InputError(
            f"action {cls.name}:{argument}: expected a number of positions that share a gate, as "
            f"in {cls.name}:16, or {cls.name}:sentence"
        )

    @property
    def spec(self) -> str:
        """``gate``, and which positions share one."""
        return self.name if self.segments is None else f"{self.name}:{self.segments.spec}"

    def fit(self, host: Host) -> Self:
        """The gates for a host; says which of its tokens end a sentence."""
        return self if self.segments is None else type(self)(self.segments.fit(host))

    def on(self, before: Before) -> Self:
        """The gates for these sources."""
        return self if self.segments is None else type(self)(self.segments.on(before.tokens))

    def space(self, source: int) -> gymnasium.Space[Any]:
        """One bit for each gate; 1 is open."""
        return gymnasium.spaces.MultiBinary(
            source if self.segments is None else self.segments.most(source)
        )

    def distribution(self, parameters: Tensor, mask: Tensor) -> NonEmptyBernoulli:
        """Gates from each position's log-odds of being open, or their mean over a segment."""
        log_odds = parameters[..., 0]
        if self.segments is not None:
            log_odds, mask = self.segments.pool(log_odds, mask)
        # Bounded smoothly: a gate that is shut for good could never find out that it should open.
        return NonEmptyBernoulli(_BOUND * torch.tanh(log_odds / _BOUND), mask)

    def score_of(self, share: float) -> float:
        """The parameter of gates that are open this often, above 0 and below 1."""
        log_odds = math.log(share / (1 - share)) / _BOUND
        return _BOUND * math.atanh(min(max(log_odds, -_CLOSEST), _CLOSEST))

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The valid positions behind an open gate; the last gate's where none is."""
        opened = self._behind(action > 0.5, mask)
        if not bool(opened.any(-1).all()):
            present = mask if self.segments is None else self.segments.present(mask)
            last = present & (present.long().cumsum(-1) == present.sum(-1, keepdim=True))
            opened = torch.where(opened.any(-1, keepdim=True), opened, self._behind(last, mask))
        return opened

    def relaxed(self, gates: Tensor, mask: Tensor) -> Allocation:
        """What gates do that gradients go through: as an action does where they are 0 and 1.

        Args:
            gates: From 0 to 1, not all of them 0, ``[lanes, size]``.
            mask: True at real source tokens, ``[lanes, source]``.
        """
        behind = gates if self.segments is None else gates.gather(1, self.segments.index(mask))
        return Allocation(self.mode, torch.where(mask, behind, 0.0))

    def _behind(self, gates: Tensor, mask: Tensor) -> Tensor:
        """The valid positions behind gates that are True."""
        return (
            gates if self.segments is None else gates.gather(1, self.segments.index(mask))
        ) & mask
