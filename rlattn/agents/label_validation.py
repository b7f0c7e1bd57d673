"""Validation of a policy while it learns, by how a host labels what it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlattn.agents.best import KeepsBest, Learned, score
from rlattn.agents.meter import Meter, Spent
from rlattn.corpora import Pair
from rlattn.inference import Readings

_LEAST = float(np.finfo(np.float32).smallest_subnormal)
"""A probability of zero counts as this, as it does in the scores of a test."""


@dataclass(frozen=True)
class LabelPoint:
    """One point of the learning curve, on validation texts, greedy.

    Attributes:
        env_steps: Environment steps so far.
        accuracy: Texts that are labelled rightly, 0 to 100.
        log_likelihood: Of the right labels, mean over texts, in nats.
        reads_fraction: How much of a text is read, mean over texts.
        score: What the kept checkpoint is chosen by; higher is better.
        spent: What the training has cost so far.
    """

    env_steps: int
    accuracy: float
    log_likelihood: float
    reads_fraction: float
    score: float
    spent: Spent


class LabelValidator(KeepsBest[LabelPoint, Learned]):
    """Labels validation texts when it is asked to, and keeps the policy of the best accuracy.

    `rlattn.agents.best.score` says what is best where reads count, too.

    Args:
        pairs: Validation texts and their labels.
        meter: Says what the training costs; it rests meanwhile.
        native_accuracy: What the host reaches on them unsteered, 0 to 100.
        classify: Labels texts under a policy, or whatever else is learned.
        reads_target: The fraction of a text to read at most, or None.
        reads_weight: The weight of the reads in the reward, when there is no target.
    """

    _point = LabelPoint

    def __init__(
        self,
        pairs: Sequence[Pair],
        meter: Meter,
        *,
        native_accuracy: float,
        classify: Callable[[Sequence[str], Learned], Readings],
        reads_target: float | None = None,
        reads_weight: float = 0.0,
    ) -> None:
        super().__init__(meter)
        self._pairs, self._native, self._classify = pairs, native_accuracy, classify
        self._target, self._weight = reads_target, reads_weight

    def _measure(self, policy: Learned, env_steps: int, spent: Spent) -> tuple[Learned, LabelPoint]:
        policy, read = self._write(policy)
        accuracy, likelihood = label_quality(read, [pair.target for pair in self._pairs])
        reads = float(np.mean(read.reads_fraction))
        chosen_by = score(accuracy, reads, self._target, self._weight, self._native)
        return policy, LabelPoint(env_steps, accuracy, likelihood, reads, chosen_by, spent)

    def _write(self, policy: Learned) -> tuple[Learned, Readings]:
        """What comes of a policy, and the policy that is kept if it is the best: this one."""
        return policy, self._classify([pair.source for pair in self._pairs], policy)


def label_quality(read: Readings, labels: Sequence[str]) -> tuple[float, float]:
    """How good labels are.

    Args:
        read: What a host made of some texts.
        labels: The right ones, each among the host's.

    Returns:
        Accuracy, 0 to 100, and the mean log-likelihood of the right labels in nats.
    """
    right = np.array([read.names.index(label) for label in labels])
    given = read.probabilities[np.arange(len(labels)), right].astype(np.float64)
    accuracy = 100.0 * float(np.mean(np.array(read.labels) == np.array(labels)))
    return accuracy, float(np.log(np.maximum(given, _LEAST)).mean())
