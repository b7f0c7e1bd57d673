"""What a comparison asks of learners: an objective, and how much of the source to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

ObjectiveName = Literal["quality", "budget", "noise"]
OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)


@dataclass(frozen=True)
class _Objective:
    """How something is learned, along references.

    Attributes:
        family: The action family of the policies.
        weights: What is rewarded, as `rlattn.rewards.TotalReward` takes it.
    """

    family: str
    weights: Mapping[str, float]


_OBJECTIVES = {
    "quality": _Objective("bias", {"probability": 1.0}),
    "budget": _Objective("gate", {"probability": 1.0}),
    "noise": _Objective("gate:sentence", {"likelihood": 1.0}),
}


@dataclass(frozen=True)
class Task:
    """One objective, at one target of reads where it has one.

    Attributes:
        objective: `quality`, the most quality that attention alone can give: the family is `bias`,
            and each step is rewarded for its gain in the probability of the reference's token.
            `budget`, the same at given reads: the family is `gate`, and reads have a price that
            finds the target. `noise`, as little of the noise in a source as can be: the family is
            `gate:sentence`, and each step is rewarded for its gain in the log-likelihood of the
            reference's token.
        reads: The fraction of the source to read at most; None for all but `budget`.
    """

    objective: ObjectiveName
    reads: float | None = None

    @property
    def name(self) -> str:
        """What it is called in tables and folders, such as ``budget-20``."""
        return self.objective if self.reads is None else f"{self.objective}-{100 * self.reads:g}"

    @property
    def family(self) -> str:
        """The action family of policies that learn it."""
        return _OBJECTIVES[self.objective].family

    @property
    def weights(self) -> dict[str, float | dict[str, Any]]:
        """What is rewarded, as `rlattn.rewards.TotalReward` takes it."""
        return {**_OBJECTIVES[self.objective].weights}


def make_tasks(objectives: Sequence[ObjectiveName], reads: Sequence[float]) -> list[Task]:
    """The tasks of a comparison, `budget` once for each target of reads."""
    return [
        Task(objective, target)
        for objective in objectives
        for target in (reads if objective == "budget" else (None,))
    ]
