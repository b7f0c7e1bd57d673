"""Corpus scores, their 95 % intervals, and the paired test of one method against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from rlattn.experiments.resampling import Estimate, FloatArray, Resampling


@dataclass(frozen=True)
class Scores:
    """Corpus-level sacreBLEU scores, 0 to 100, and the signatures that make them reproducible."""

    bleu: float
    chrf: float
    bleu_signature: str
    chrf_signature: str


def corpus_scores(hypotheses: Sequence[str], references: Sequence[str]) -> Scores:
    """Scores a corpus with sacreBLEU's default BLEU and chrF.

    Args:
        hypotheses: What was written, one sentence each.
        references: What should have been written, in the same order.

    Returns:
        BLEU and chrF of the corpus, with signatures.

    Raises:
        ValueError: If there are no sentences, or not as many hypotheses as references.
    """
    _check_lengths(hypotheses, references)
    bleu, chrf = BLEU(), CHRF()
    return Scores(
        bleu=bleu.corpus_score(hypotheses, [references]).score,
        chrf=chrf.corpus_score(hypotheses, [references]).score,
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
    )


class Bootstrap(Resampling):
    """Intervals and tests from one set of resampled test sentences.

    Every method of a report is judged on the same resamples, so its numbers can be compared pair by
    pair (Koehn, 2004, "Statistical significance tests for machine translation evaluation").
    Sentences are counted once and only their counts are resampled; no text is scored twice.

    Args:
        references: The references of the test set.
        resamples: How many corpora to draw, each as large as the test set.
        seed: Seed of the draws.
    """

    def __init__(self, references: Sequence[str], *, resamples: int = 1000, seed: int = 0) -> None:
        _check_lengths(references, references)
        super().__init__(len(references), resamples=resamples, seed=seed)
        self._references = references
        self._known: dict[tuple[str, ...], tuple[float, FloatArray]] = {}

    def bleu(self, hypotheses: Sequence[str]) -> Estimate:
        """Returns corpus BLEU, 0 to 100, with its interval."""
        return self._interval(*self._bleu(hypotheses))

    def chrf(self, hypotheses: Sequence[str]) -> Estimate:
        """Returns corpus chrF, 0 to 100, with its interval."""
        return self._interval(*self._resampled(CHRF(), hypotheses))

    def over_seeds(self, metric: Metric, outputs: Sequence[Sequence[str]]) -> Estimate:
        """Returns the mean over seeds of a corpus score, with its interval.

        Both levels are resampled, as in `mean_over_seeds`.

        Args:
            metric: A metric of sacreBLEU.
            outputs: What a method wrote with each seed.
        """
        return self._over_seeds([self._resampled(metric, output) for output in outputs])

    def p_value(self, hypotheses: Sequence[str], baseline: Sequence[str]) -> float:
        """Tests whether two methods differ in corpus BLEU (paired bootstrap, two-sided).

        The spread of the resampled differences around their mean stands for what chance alone would
        show if the methods were equal; p is how often that is at least the difference observed.
        ``sacrebleu --paired-bs`` centres the *absolute* differences instead, which gives two
        identical outputs a p below 0.001; here they get 1.

        Args:
            hypotheses: Output of the method under test.
            baseline: Output of the method it is compared with, for the same sentences.

        Returns:
            p, from 1 / (resamples + 1) to 1.
        """
        value, resampled = self._bleu(hypotheses)
        other, other_resampled = self._bleu(baseline)
        differences = resampled - other_resampled
        by_chance = np.abs(differences - differences.mean())
        # Rounding must not turn a tie into a difference.
        extreme = np.count_nonzero(by_chance >= abs(value - other) - 1e-9)
        return float((extreme + 1) / (len(differences) + 1))

    def _bleu(self, hypotheses: Sequence[str]) -> tuple[float, FloatArray]:
        """Likewise in BLEU; kept, for one method takes part in many tests."""
        key = tuple(hypotheses)
        if key not in self._known:
            self._known[key] = self._resampled(BLEU(), hypotheses)
        return self._known[key]

    def _resampled(self, metric: Metric, hypotheses: Sequence[str]) -> tuple[float, FloatArray]:
        """Scores the corpus and every resample of it: a number and ``[resamples]``."""
        _check_lengths(hypotheses, self._references)
        # sacreBLEU's own tests are built on these two methods, which every metric must have.
        statistics = np.asarray(
            metric._extract_corpus_statistics(hypotheses, [self._references]), dtype=np.int64
        )
        totals = np.vstack([statistics.sum(axis=0), self._draws @ statistics])
        value, *resampled = (metric._compute_score_from_stats(row).score for row in totals.tolist())
        return value, np.asarray(resampled)


def interquartile_mean(
    scores: Sequence[Sequence[float]], *, resamples: int = 2000, seed: int = 0
) -> Estimate:
    """The mean of the middle half of all scores, with its 95 % interval.

    It is less at the mercy of a single seed than the mean, and of more of them than the median
    (Agarwal et al., 2021, "Deep reinforcement learning at the edge of the statistical precipice").
    The interval is that of a bootstrap stratified by task: each task's runs are resampled by
    themselves.

    Args:
        scores: For each task, the score of each run, such that those of different tasks compare.
        resamples: How many draws make the interval.
        seed: Seed of the draws.

    Raises:
        ValueError: If a task has no score.
    """
    if not scores or not all(len(row) for row in scores):
        raise ValueError("an interquartile mean needs at least one score for each task")
    rng = np.random.default_rng(seed)
    rows = [np.asarray(row, dtype=np.float64) for row in scores]
    drawn = [row[rng.integers(len(row), size=(resamples, len(row)))] for row in rows]
    low, high = np.quantile(_middle(np.concatenate(drawn, axis=1)), (0.025, 0.975))
    return Estimate(float(_middle(np.concatenate(rows))), float(low), float(high))


def _middle(numbers: FloatArray) -> FloatArray:
    """The mean of what is left after a quarter was cut from either end, over the last axis."""
    count = numbers.shape[-1]
    cut = count // 4
    middle: FloatArray = np.sort(numbers, axis=-1)[..., cut : count - cut].mean(axis=-1)
    return middle


def _check_lengths(given: Sequence[str], references: Sequence[str]) -> None:
    if not len(references):
        raise ValueError("there are no sentences to score")
    if len(given) != len(references):
        raise ValueError(f"{len(given)} sentences were given for {len(references)} references")
