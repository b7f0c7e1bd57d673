"""95 % intervals from one set of resampled test texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


class Resampling:
    """Resamples the texts of a test set, the same for every method of a report.

    Texts are counted once and only their counts are resampled.

    Args:
        size: How many texts there are.
        resamples: How many test sets to draw, each as large as the given one.
        seed: Seed of the draws.

    Raises:
        ValueError: If there are no texts.
    """

    def __init__(self, size: int, *, resamples: int = 1000, seed: int = 0) -> None:
        if not size:
            raise ValueError("there are no texts to score")
        self._size = size
        rng = np.random.default_rng(seed)
        # How often each text occurs in each resample: [resamples, texts].
        self._draws = rng.multinomial(size, np.full(size, 1 / size), size=resamples)

    def mean(self, values: Sequence[float] | FloatArray) -> Estimate:
        """Returns the mean of one number per text, with its interval."""
        return self._interval(*self._mean(values))

    def mean_over_seeds(self, values: Sequence[Sequence[float] | FloatArray]) -> Estimate:
        """Returns the mean over seeds of one number per text, given for each seed.

        Both levels are resampled: each resample draws as many seeds as there are, with
        replacement, and one set of texts for all of them.
        """
        return self._over_seeds([self._mean(row) for row in values])

    def _mean(self, values: Sequence[float] | FloatArray) -> tuple[float, FloatArray]:
        """The mean of the test set, and of every resample of it: a number and ``[resamples]``."""
        numbers = np.asarray(values, dtype=np.float64)
        if len(numbers) != self._size:
            raise ValueError(f"{len(numbers)} numbers were given for {self._size} texts")
        return float(numbers.mean()), self._draws @ numbers / self._size

    def _over_seeds(self, scored: Sequence[tuple[float, FloatArray]]) -> Estimate:
        """The mean of a value per seed, its interval from ``[resamples]`` for each seed."""
        seeds = len(scored)
        if not seeds:
            raise ValueError("there are no seeds to score")
        # The same seeds for all methods that have as many.
        rng = np.random.default_rng(seeds)
        draws = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=len(self._draws))
        resampled = np.stack([each for _, each in scored], axis=1)
        means = (draws * resampled).sum(axis=1) / seeds
        return self._interval(float(np.mean([value for value, _ in scored])), means)

    @staticmethod
    def _interval(value: float, resampled: FloatArray) -> Estimate:
        low, high = np.quantile(resampled, (0.025, 0.975))
        return Estimate(value, float(low), float(high))
