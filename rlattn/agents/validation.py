"""Validation of a policy while it learns, and the one that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from typing_extensions import TypeVar

from rlattn.agents.meter import Meter, Spent
from rlattn.corpora import Pair
from rlattn.inference import TrainedPolicy, Translations

Learned = TypeVar("Learned", default=TrainedPolicy)
"""What is validated."""


@dataclass(frozen=True)
class Point:
    """One point of the learning curve, on validation sentences, free-running and greedy.

    Attributes:
        env_steps: Environment steps so far.
        bleu: Corpus BLEU, 0 to 100.
        chrf: Corpus chrF, 0 to 100.
        reads_fraction: Mean over sentences of the mean over steps.
        score: What the kept checkpoint is chosen by; higher is better.
        spent: What the training has cost so far.
    """

    env_steps: int
    bleu: float
    chrf: float
    reads_fraction: float
    score: float
    spent: Spent


class Validator(Generic[Learned]):
    """Translates validation sentences when it is asked to, and keeps the best policy.

    With a target of reads, the best is the one with the highest BLEU among those that meet it;
    before any does, the one that reads least. Without one, it is the one with the highest BLEU
    as a share of the native BLEU, plus the weight of the reads times the reads.

    Args:
        pairs: Validation sentences.
        meter: Says what the training costs; it rests meanwhile.
        native_bleu: What the host reaches on them unsteered.
        translate: Translates sentences under a policy, or whatever else is learned.
        reads_target: The fraction of the source to read at most, or None.
        reads_weight: The weight of the reads in the reward, when there is no target.

    Attributes:
        curve: All points so far.
        best: The point of the policy that is kept; None before the first.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        meter: Meter,
        *,
        native_bleu: float,
        translate: Callable[[Sequence[str], Learned], Translations],
        reads_target: float | None = None,
        reads_weight: float = 0.0,
    ) -> None:
        self._pairs, self._meter = pairs, meter
        self._native_bleu, self._translate = native_bleu, translate
        self._target, self._weight = reads_target, reads_weight
        self.curve: list[Point] = []
        self.best: Point | None = None
        self._best_policy: Learned | None = None

    @property
    def policy(self) -> Learned:
        """The best policy so far."""
        if self._best_policy is None:
            raise RuntimeError("nothing was validated yet")
        return self._best_policy

    def validate(self, policy: Learned, env_steps: int) -> Point:
        """Adds a point to the curve, and keeps the policy if it is the best so far.

        Args:
            policy: Must not change any more.
            env_steps: Environment steps up to this policy.
        """
        spent = self._meter.spent
        with self._meter.paused():
            policy, output = self._write(policy)
            references = [[pair.target for pair in self._pairs]]
            bleu = BLEU().corpus_score(output.texts, references).score
            chrf = CHRF().corpus_score(output.texts, references).score
        reads = float(np.mean(output.reads_fraction))
        point = Point(env_steps, bleu, chrf, reads, self._score(bleu, reads), spent)
        self.curve.append(point)
        if self.best is None or point.score > self.best.score:
            self.best, self._best_policy = point, policy
        return point

    def _write(self, policy: Learned) -> tuple[Learned, Translations]:
        """What a policy writes, and the policy that is kept if it is the best: this one."""
        return policy, self._translate([pair.source for pair in self._pairs], policy)

    def _score(self, bleu: float, reads: float) -> float:
        if self._target is None:
            return bleu / max(self._native_bleu, 1e-9) + self._weight * reads
        return bleu if reads <= self._target else -100.0 * reads
