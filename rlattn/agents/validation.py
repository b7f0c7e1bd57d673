"""Validation of a policy while it learns, by what it has a host write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from rlattn.agents.best import KeepsBest, Learned, score
from rlattn.agents.meter import Meter, Spent
from rlattn.corpora import Pair
from rlattn.inference import Translations


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


class Validator(KeepsBest[Point, Learned]):
    """Translates validation sentences when it is asked to, and keeps the policy of the best BLEU.

    `rlattn.agents.best.score` says what is best where reads count, too.

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

    _point = Point

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
        super().__init__(meter)
        self._pairs, self._native_bleu, self._translate = pairs, native_bleu, translate
        self._target, self._weight = reads_target, reads_weight

    def _measure(self, policy: Learned, env_steps: int, spent: Spent) -> tuple[Learned, Point]:
        policy, output = self._write(policy)
        references = [[pair.target for pair in self._pairs]]
        bleu = BLEU().corpus_score(output.texts, references).score
        chrf = CHRF().corpus_score(output.texts, references).score
        reads = float(np.mean(output.reads_fraction))
        chosen_by = score(bleu, reads, self._target, self._weight, self._native_bleu)
        return policy, Point(env_steps, bleu, chrf, reads, chosen_by, spent)

    def _write(self, policy: Learned) -> tuple[Learned, Translations]:
        """What a policy writes, and the policy that is kept if it is the best: this one."""
        return policy, self._translate([pair.source for pair in self._pairs], policy)
