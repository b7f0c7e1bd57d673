"""Translating that is scripted, for what validates."""

from __future__ import annotations

from collections.abc import Sequence

from rlattn.inference import TrainedPolicy, Translations
from tests.hosts.tiny import pairs

PAIRS = pairs(8, seed=3)


class Script:
    """Stands in for translating: gives what was written before, and remembers who asked.

    Args:
        turns: Of each validation, how many sentences are right, and the reads.
    """

    def __init__(self, *turns: tuple[int, float]) -> None:
        self.turns, self.policies = list(turns), []

    def __call__(self, texts: Sequence[str], policy: TrainedPolicy) -> Translations:
        right, reads = self.turns[len(self.policies)]
        self.policies.append(policy)
        output = [pair.target if i < right else "nonsense" for i, pair in enumerate(PAIRS)]
        return Translations(output, [reads] * len(PAIRS), 0)
