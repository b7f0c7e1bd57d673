"""What a comparison asks of learners: an objective, and how much of the source to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rlattn.envs.episodes import Prefix

ObjectiveName = Literal["quality", "budget"]


@dataclass(frozen=True)
class Task:
    """One objective, at one target of reads where it has one.

    Attributes:
        objective: `quality`, the most quality that attention alone can give: the family is `bias`,
            and each step is rewarded for its gain in the probability of the reference's token.
            `budget`, the most quality at given reads: the family is `gate`, and each step along
            the host's own output is rewarded for agreeing with it.
        reads: The fraction of the source to read at most; None for `quality`.
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
        return "bias" if self.objective == "quality" else "gate"

    @property
    def prefix(self) -> Prefix:
        """What is fed back while it is learned."""
        return "reference" if self.objective == "quality" else "host"

    @property
    def weights(self) -> dict[str, float | dict[str, Any]]:
        """What is rewarded, as `rlattn.rewards.TotalReward` takes it."""
        return {"probability": 1.0} if self.objective == "quality" else {"agreement": 1.0}

    @property
    def gamma(self) -> float:
        """The discount of learners that have one: a bias is also felt a few steps later."""
        return 0.3 if self.objective == "quality" else 0.0


def make_tasks(objectives: Sequence[ObjectiveName], reads: Sequence[float]) -> list[Task]:
    """The tasks of a comparison, `budget` once for each target of reads."""
    return [
        Task(objective, target)
        for objective in objectives
        for target in (reads if objective == "budget" else (None,))
    ]
