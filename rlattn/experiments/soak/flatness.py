"""Whether what was measured over a long time stayed as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import theilslopes


class Sample(NamedTuple):
    """What was measured at some time.

    Attributes:
        seconds: Since the beginning.
        rss: The memory that the process holds, in 10^6 bytes.
        rate: What was done per second of the processor since the sample before.
    """

    seconds: float
    rss: float
    rate: float


@dataclass(frozen=True)
class Flatness:
    """What became of memory and speed after the warm-up.

    Attributes:
        rss: The memory held, in 10^6 bytes, the median.
        growth: How much the memory grew, in percent of that.
        first: The speed in the first third, the median.
        last: The speed in the last third, the median.
        samples: From how many samples this is.
    """

    rss: float
    growth: float
    first: float
    last: float
    samples: int

    @property
    def slowdown(self) -> float:
        """How much of the speed was lost, in percent."""
        return 100 * (1 - self.last / self.first)


def measured(
    work: Iterator[int],
    *,
    seconds: float,
    every: float,
    wall: Callable[[], float],
    processor: Callable[[], float],
    rss: Callable[[], float],
) -> Iterator[Sample]:
    """Works for some time, and takes a sample now and then.

    Args:
        work: Does a piece at each turn, and tells how much that was.
        seconds: How long.
        every: Seconds between samples.
        wall: A clock.
        processor: The seconds that processors have worked for this process, so that what else a
            machine does is not counted.
        rss: The memory held, in 10^6 bytes.
    """
    began = before = wall()
    used, done = processor(), 0
    while before - began < seconds:
        done += next(work)
        if wall() - before >= every:
            before, now = wall(), processor()
            yield Sample(before - began, rss(), done / max(now - used, 1e-9))
            used, done = now, 0


def flatness(samples: Sequence[Sample], warm_up: float) -> Flatness:
    """What became of memory and speed.

    The line through the memory is the median of the slopes between any two samples (Theil 1950;
    Sen 1968, "Estimates of the Regression Coefficient Based on Kendall's Tau"), so that a few odd
    samples do not bend it.

    Args:
        samples: In the order of time.
        warm_up: The share of the time in which caches fill, which does not count.

    Raises:
        ValueError: If there are fewer than six samples after it.
    """
    begin = warm_up * samples[-1].seconds if samples else 0.0
    kept = np.array([sample for sample in samples if sample.seconds >= begin]).reshape(-1, 3)
    if len(kept) < 6:
        raise ValueError(f"{len(kept)} samples after the warm-up: expected at least 6")
    seconds, rss, rate = kept.T
    held, third = float(np.median(rss)), len(kept) // 3
    slope = float(theilslopes(rss, seconds).slope)
    return Flatness(
        rss=held,
        growth=100 * slope * float(seconds[-1] - seconds[0]) / held,
        first=float(np.median(rate[:third])),
        last=float(np.median(rate[-third:])),
        samples=len(kept),
    )
