"""Weights of reward terms: a number, a schedule, or a price that finds a target."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from rlattn.checks import check_whole
from rlattn.errors import InputError

Per = Literal["step", "sentence"]

_MOST = 1e9
"""The largest weight: rewards are sums in float32, and beyond it small terms are lost beside it."""

_MOST_STEPS = 2**63 - 1


class Weight:
    """A weight, which stays as it is; others may change while an agent learns.

    Args:
        value: What it is now.
    """

    def __init__(self, value: float) -> None:
        self.value = _finite("weight", value)

    def advance(self, steps: int) -> None:
        """Tells how many environment steps were taken, all lanes together."""

    def finish(self, sums: np.ndarray, lengths: np.ndarray, per: Per = "step") -> None:
        """Tells what the term came to in sentences that ended.

        Args:
            sums: The sum of its numbers over each sentence, ``[sentences]``.
            lengths: The steps of each sentence, ``[sentences]``.
            per: What the environment counts a cost by where a target does not say.
        """


@dataclass
class Schedule(Weight):
    """A weight that goes from one number to another in a straight line, and stays there.

    Attributes:
        start: The weight at first.
        end: The weight at last.
        steps: After how many environment steps, all lanes together.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        """Refuses what is no schedule."""
        _finite("start", self.start), _finite("end", self.end)
        check_whole("steps", self.steps, most=_MOST_STEPS)
        self.value, self._taken = float(self.start), 0

    def advance(self, steps: int) -> None:
        """Moves on along the line."""
        self._taken += steps
        share = min(self._taken / self.steps, 1.0)
        self.value = (1 - share) * self.start + share * self.end


@dataclass
class Target(Weight):
    """A price that adapts until a cost is at its target: "as good as possible at this cost".

    It is a Lagrange multiplier driven by the excess and its sum over time, as in PID Lagrangian
    methods (Stooke et al., 2020). The excess counts for much, so that the price lets go as the
    target comes near: gates that were driven shut by too high a price are slow to open again.

    The weight is the negative of the price. A price never rewards.

    Attributes:
        target: What the cost may be.
        price: The most that a unit of the cost is charged, and what it is charged at first.
        gain: What a unit of the cost is charged per unit of excess.
        rate: How far the lasting part of the price moves per update and unit of excess.
        sentences: How many sentences make an update.
        per: Whether the cost of a sentence is the mean over its ``"step"``s or the sum over the
            ``"sentence"``; None leaves it to the environment, which sums where steps add up to
            what is read, as in classification.
    """

    target: float
    price: float = 0.5
    gain: float = 6.0
    rate: float = 0.05
    sentences: int = 256
    per: Per | None = None

    def __post_init__(self) -> None:
        """Refuses what is no target."""
        for name in ("target", "price", "gain", "rate"):
            if not _finite(name, getattr(self, name)) >= 0:
                raise InputError(f"{name} {getattr(self, name)}: expected at least 0")
        check_whole("sentences", self.sentences)
        if self.per not in (None, *get_args(Per)):
            raise InputError(f"per {self.per!r}: expected one of {', '.join(get_args(Per))}")
        self._most, self._lasting, self._sum, self._count = self.price, 0.0, 0.0, 0
        self.value = -self.price

    def finish(self, sums: np.ndarray, lengths: np.ndarray, per: Per = "step") -> None:
        """Takes in finished sentences; every `sentences` of them the price moves."""
        mean = (self.per or per) == "step"
        self._sum += float((sums / lengths if mean else sums).sum())
        self._count += len(sums)
        if self._count < self.sentences:
            return
        excess = self._sum / self._count - self.target
        price = self._lasting + self.gain * excess
        if price < self._most:
            # Not before: the long way down from reading everything says nothing about the price
            # that holds the target.
            self._lasting = min(max(self._lasting + self.rate * excess, 0.0), self._most)
        self.price = min(max(price, 0.0), self._most)
        self.value = -self.price
        self._sum, self._count = 0.0, 0


WeightSpec = float | Weight | Mapping[str, Any]
"""A weight as users give it: a number, or what `Schedule` or `Target` take, by name."""


def make_weight(name: str, spec: WeightSpec) -> Weight:
    """The weight of a term.

    Args:
        name: The term, for error messages.
        spec: A number; ``{"start": -0.1, "end": -0.5, "steps": 100000}``; or ``{"target": 0.2}``
            with anything else that `Target` takes.

    Raises:
        InputError: If it is none of these, or something in it is out of range.
    """
    if isinstance(spec, Weight):
        return spec
    try:
        if not isinstance(spec, Mapping):
            return Weight(spec)
        if not spec.keys() & {"target", "start", "end", "steps"}:
            raise InputError(
                f"{dict(spec)}: expected a number, a schedule such as "
                "{'start': -0.1, 'end': -0.5, 'steps': 100000}, or a target such as {'target': 0.2}"
            )
        kind = Target if "target" in spec else Schedule
        known = {field.name: field.default is MISSING for field in fields(kind)}
        missing = [key for key, needed in known.items() if needed and key not in spec]
        unknown = [key for key in spec if key not in known]
        if missing or unknown:
            raise InputError(
                f"{dict(spec)}: a {kind.__name__.lower()} takes {', '.join(known)}"
                + (f"; {', '.join(missing)} is missing" if missing else "")
                + (f"; {', '.join(unknown)} is unknown" if unknown else "")
            )
        weight: Weight = kind(**spec)
        return weight
    except InputError as error:
        raise InputError(f"reward {name}: {error}") from error


def _finite(what: str, number: object) -> float:
    if isinstance(number, bool) or not isinstance(number, int | float | np.number):
        raise InputError(f"{what} {number!r}: expected a number")
    try:
        found = float(number)
    except OverflowError as error:
        raise InputError(f"{what}: expected a number of fewer digits") from error
    if not math.isfinite(found):
        raise InputError(f"{what} {number}: expected a finite number")
    if abs(found) > _MOST:
        raise InputError(f"{what} {number}: expected a number from {-_MOST:g} to {_MOST:g}")
    return found
