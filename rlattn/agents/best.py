"""The best of the checkpoints that a training passes, by a score on validation text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Generic, Protocol

from typing_extensions import TypeVar

from rlattn.agents.meter import Meter, Spent
from rlattn.inference import TrainedPolicy
from rlattn.storage.fields import read
from rlattn.storage.state import State, part, parts, take

Learned = TypeVar("Learned", default=TrainedPolicy)
"""What is validated."""


class Checkpoint(Protocol):
    """A point of a learning curve: a dataclass with these and what else was measured."""

    @property
    def env_steps(self) -> int:
        """Environment steps so far."""

    @property
    def reads_fraction(self) -> float:
        """How much of the sources was read."""

    @property
    def score(self) -> float:
        """What the kept checkpoint is chosen by; higher is better."""

    @property
    def spent(self) -> Spent:
        """What the training has cost so far."""


AnyPoint = TypeVar("AnyPoint", bound=Checkpoint)


class KeepsBest(ABC, Generic[AnyPoint, Learned]):
    """Validates what is learned when it is asked to, and keeps the best.

    Args:
        meter: Says what the training costs; it rests meanwhile.

    Attributes:
        curve: All points so far.
        best: The point of what is kept; None before the first.
    """

    _point: type[AnyPoint]
    """What a point of the curve is."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.curve: list[AnyPoint] = []
        self.best: AnyPoint | None = None
        self._best_policy: Learned | None = None

    @property
    def policy(self) -> Learned:
        """The best policy so far."""
        if self._best_policy is None:
            raise RuntimeError("nothing was validated yet")
        return self._best_policy

    def state_dict(self) -> State:
        """The curve and what the training has cost, but for the policy."""
        return {
            "curve": [asdict(point) for point in self.curve],  # type: ignore[call-overload]
            "best": None if self.best is None else self.curve.index(self.best),
            "meter": self._meter.state_dict(),
        }

    def load_state_dict(self, state: State, policy: Learned | None) -> None:
        """Goes on from another's curve.

        Args:
            state: Of the other.
            policy: What that had kept, if anything.
        """
        points = parts(state, "curve")
        self.curve = [read(self._point, point, "a point of the curve") for point in points]
        self.best, self._best_policy = None, policy
        if policy is not None:
            self.best = self.curve[take(state, "best", 0)]
        self._meter.load_state_dict(part(state, "meter"))

    def validate(self, policy: Learned, env_steps: int) -> AnyPoint:
        """Adds a point to the curve, and keeps the policy if it is the best so far.

        Args:
            policy: Must not change any more.
            env_steps: Environment steps up to this policy.
        """
        spent = self._meter.spent
        with self._meter.paused():
            policy, point = self._measure(policy, env_steps, spent)
        self.curve.append(point)
        if self.best is None or point.score > self.best.score:
            self.best, self._best_policy = point, policy
        return point

    @abstractmethod
    def _measure(self, policy: Learned, env_steps: int, spent: Spent) -> tuple[Learned, AnyPoint]:
        """Measures a policy; what comes back with the point is kept if that is the best."""


def score(
    quality: float, reads: float, target: float | None, weight: float, native: float
) -> float:
    """What checkpoints are chosen by.

    With a target of reads, the best is the one with the highest quality among those that meet it;
    before any does, the one that reads least. Without one, it is the one with the highest quality
    as a share of the native one, plus the weight of the reads times the reads.

    Args:
        quality: Of the policy, such as BLEU; not negative.
        reads: The fraction of the source that it reads.
        target: The fraction of the source to read at most, or None.
        weight: The weight of the reads in the reward, when there is no target.
        native: The quality of native attention.
    """
    if target is None:
        return quality / max(native, 1e-9) + weight * reads
    return quality if reads <= target else -100.0 * reads
