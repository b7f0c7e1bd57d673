"""What a comparison asks of learners: an objective, and how much of the source to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

ObjectiveName = Literal["quality", "budget", "noise"]
OBJECTIVES: tuple[ObjectiveName, ...] = get_args(ObjectiveName)


_FAMILIES = {"quality": "bias", "budget": "gate", "noise": "gate:sentence"}


@dataclass(frozen=True)
class Task:
    """One objective, at one target of reads where it has one.

    Attributes:
        objective: `quality`, the most quality that attention alone can give: the family is `bias`.
            `budget`, the same at given reads: the family is `gate`, and reads have a price that
            finds the target. `noise`, as little of the noise in a source as can be: the family is
            `gate:sentence`.
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
        return _FAMILIES[self.objective]


def make_tasks(objectives: Sequence[ObjectiveName], reads: Sequence[float]) -> list[Task]:
    """The tasks of a comparison, `budget` once for each target of reads."""
    return [
        Task(objective, target)
        for objective in objectives
        for target in (reads if objective == "budget" else (None,))
    ]
