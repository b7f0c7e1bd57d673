"""Scores of labels, their 95 % intervals, and the paired test of one method against another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse, stats

from rlattn.experiments.resampling import Estimate, FloatArray, Resampling
from rlattn.inference.readings import Readings

_BINS = 15
_SMALLEST = 2.0**-149
"""The smallest positive number of float32, which stands in for a probability of 0."""


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of whether two methods are right on equally many texts, two-sided.

    Attributes:
        gained: How many texts the method labels rightly and the baseline wrongly.
        lost: How many the baseline labels rightly and the method wrongly.
        p_value: p, 1 where both numbers are equal.
    """

    gained: int
    lost: int
    p_value: float


class LabelBootstrap(Resampling):
    """Intervals and tests of labels, from one set of resampled test texts.

    A score takes what one method made of the texts, once for each of its seeds, and gives the mean
    over these seeds. With several of them both levels are resampled, as in `mean_over_seeds`.

    Every method raises ValueError if it is given nothing, another number of texts, other names, or
    numbers that are no probabilities.

    Args:
        truth: The true label of each text.
        names: What the host tells apart; every true label is one of them.
        resamples: How many test sets to draw, each as large as the given one.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are no texts, or a true label is not among the names.
    """

    def __init__(
        self, truth: Sequence[str], names: Sequence[str], *, resamples: int = 1000, seed: int = 0
    ) -> None:
        super().__init__(len(truth), resamples=resamples, seed=seed)
        self._names = tuple(names)
        self._truth = columns(truth, names)

    def accuracy(self, *seeds: Readings) -> Estimate:
        """Returns how many texts have the true label, 0 to 100."""
        return self._score(seeds, lambda one: 100 * self._means(self._right(one)))

    def macro_f1(self, *seeds: Readings) -> Estimate:
        """Returns the mean of the labels' F1, 0 to 100, as scikit-learn defines it.

        All labels count alike, however rare they are. Only one that is neither true nor predicted
        of any text is left out, in each resample anew.
        """

        def score(readings: Readings) -> FloatArray:
            said, ones = columns(readings.labels, self._names), np.ones(self._size)
            hits = self._sums(self._truth, self._right(readings), len(self._names))
            # True positives twice, and either kind of error.
            both = self._sums(self._truth, ones, len(self._names))
            both += self._sums(said, ones, len(self._names))
            f1 = np.divide(2 * hits, both, out=np.full_like(hits, np.nan), where=both > 0)
            return np.asarray(100 * np.nanmean(f1, axis=1))

        return self._score(seeds, score)

    def calibration_error(self, *seeds: Readings) -> Estimate:
        """Returns the expected calibration error of the predicted label's probability, 0 to 1.

        The probability of the predicted label is the confidence. Texts are put in 15 bins of equal
        width, each with its upper edge. The error is the mean over the bins of how far accuracy is
        from mean confidence, weighted by their texts (Naeini et al., 2015, "Obtaining well
        calibrated probabilities using Bayesian binning"; Guo et al., 2017, "On calibration of
        modern neural networks", whose 15 bins these are).

        Noise within the bins makes the error too large, and more so in resamples. Their quantiles
        would leave out the true error, and often the value itself. So the interval is the basic
        one, in which quantiles are mirrored at the value (Davison and Hinkley, 1997, "Bootstrap
        methods and their application"). It is widened to the value where it would miss it. A method
        that is calibrated perfectly still has an interval somewhat above 0.
        """

        def score(readings: Readings) -> FloatArray:
            predicted = columns(readings.labels, self._names)
            confidence = _picked(readings, predicted)
            edges = np.arange(1, _BINS) / _BINS
            gaps = self._right(readings) - confidence
            sums = self._sums(np.searchsorted(edges, confidence), gaps, _BINS)
            return np.asarray(np.abs(sums).sum(axis=1) / self._size)

        found = self._score(seeds, score)
        value = found.value
        low, high = (2 * value - quantile for quantile in (found.high, found.low))
        return Estimate(value, min(max(low, 0.0), value), max(high, value))

    def log_likelihood(self, *seeds: Readings) -> Estimate:
        """Returns the mean log-probability of the true label, in nats.

        A probability of 0 is one that was too small for float32. It counts as the smallest positive
        number there, 2^-149, whose logarithm is -103.3.
        """
        return self._score(
            seeds,
            lambda one: self._means(np.log(np.maximum(_picked(one, self._truth), _SMALLEST))),
        )

    def mcnemar(self, readings: Readings, baseline: Readings) -> McNemar:
        """Tests whether two methods differ in accuracy.

        Only texts that one of them labels rightly and the other wrongly tell them apart. If the
        methods were equally good, either would be the right one with a chance of one half (McNemar,
        1947, "Note on the sampling error of the difference between correlated proportions or
        percentages"; p is that of the exact binomial test).

        Args:
            readings: What the method under test made of the texts.
            baseline: What the method it is compared with made of the same texts.
        """
        self._check(readings)
        self._check(baseline)
        difference = self._right(readings) - self._right(baseline)
        gained, lost = (int(np.count_nonzero(difference == sign)) for sign in (1, -1))
        apart = gained + lost
        p_value = float(stats.binomtest(gained, apart).pvalue) if apart else 1.0
        return McNemar(gained, lost, p_value)

    def _score(
        self, seeds: Sequence[Readings], score: Callable[[Readings], FloatArray]
    ) -> Estimate:
        """The mean over seeds of a score, which gives ``[1 + resamples]``, the test set first."""
        for readings in seeds:
            self._check(readings)
        scored = [score(readings) for readings in seeds]
        return self._over_seeds([(float(each[0]), each[1:]) for each in scored])

    def _means(self, values: FloatArray) -> FloatArray:
        value, resampled = self._mean(values)
        return np.concatenate([[value], resampled])

    def _sums(self, groups: npt.NDArray[np.int64], values: FloatArray, count: int) -> FloatArray:
        """Sums values by groups of texts, ``[1 + resamples, count]``, the test set first."""
        # There may be many labels, and each text has one.
        shape = (self._size, count)
        placed = sparse.csr_array((values, (np.arange(self._size), groups)), shape=shape)
        sums: FloatArray = np.vstack([placed.sum(axis=0), self._draws @ placed])
        return sums

    def _right(self, readings: Readings) -> FloatArray:
        """1 where the predicted label is the true one, else 0, ``[texts]``."""
        return np.equal(columns(readings.labels, self._names), self._truth).astype(np.float64)

    def _check(self, readings: Readings) -> None:
        if len(readings.labels) != self._size:
            raise ValueError(f"{len(readings.labels)} labels were given for {self._size} texts")
        if tuple(readings.names) != self._names:
            raise ValueError(f"labels are {readings.names}, expected {self._names} in this order")
        found, expected = readings.probabilities.shape, (self._size, len(self._names))
        if found != expected:
            raise ValueError(f"probabilities have the shape {found}, expected {expected}")
        low, high = readings.probabilities.min(), readings.probabilities.max()
        if not (low >= 0 and high <= 1 + 1e-5):  # neither is so of what is not a number
            raise ValueError(f"probabilities are {low} to {high}, expected 0 to 1")


def columns(labels: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Returns the column of each label, ``[texts]``.

    Args:
        labels: A label for each text.
        names: The labels of the columns.

    Raises:
        ValueError: If a label is not among the names.
    """
    numbers = {name: number for number, name in enumerate(names)}
    unknown = [label for label in labels if label not in numbers]
    if unknown:
        raise ValueError(f"the label {unknown[0]!r} is not among {', '.join(map(repr, names))}")
    return np.asarray([numbers[label] for label in labels], dtype=np.int64)


def _picked(readings: Readings, chosen: npt.NDArray[np.int64]) -> FloatArray:
    """The probability of one label of each text, ``[texts]``."""
    rows = np.arange(len(chosen))
    return readings.probabilities[rows, chosen].astype(np.float64)
