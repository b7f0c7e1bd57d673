"""Growth is told from noise, and speed from what else a machine does."""

from __future__ import annotations

from itertools import count, pairwise, repeat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.experiments.soak.flatness import Sample, flatness, measured


def samples(growth: float, slowdown: float = 0.0, noise: float = 0.0) -> list[Sample]:
    """200 samples, during which memory grows and speed falls by so many percent."""
    rng = np.random.default_rng(0)
    share = np.linspace(0, 1, 200)
    rss = 500 * (1 + growth / 100 * (share - 0.5)) + noise * rng.standard_normal(200)
    rate = 1000 * (1 - slowdown / 100 * (share > 0.5))
    return [Sample(*row) for row in zip(600 * share, rss, rate, strict=True)]


@given(st.floats(-20, 20), st.floats(0, 50))
def test_growth_and_slowdown_are_found(growth: float, slowdown: float) -> None:
    found = flatness(samples(growth, slowdown), warm_up=0.0)
    assert found.growth == pytest.approx(growth, abs=1e-6)
    assert found.slowdown == pytest.approx(slowdown, abs=1e-6)
    assert found.rss == pytest.approx(500)


def test_noise_and_a_few_peaks_are_no_growth() -> None:
    odd = samples(0.0, noise=2.0)
    for place in (20, 180, 199):
        odd[place] = odd[place]._replace(rss=900.0)
    assert abs(flatness(odd, warm_up=0.25).growth) < 0.3


def test_the_warm_up_does_not_count() -> None:
    given = [
        sample._replace(rss=100.0) if sample.seconds < 100 else sample for sample in samples(0)
    ]
    assert flatness(given, warm_up=0.25).growth == pytest.approx(0)
    assert flatness(given, warm_up=0.25).samples == 150


def test_few_samples_say_nothing() -> None:
    for few in ([], samples(0)[:5]):
        with pytest.raises(ValueError, match="expected at least 6"):
            flatness(few, warm_up=0.0)


def test_work_is_counted_by_what_processors_did() -> None:
    wall, processor, rss = count(), count(step=0.5), count(100)
    found = list(
        measured(
            repeat(3),
            seconds=30,
            every=5,
            wall=lambda: float(next(wall)),
            processor=lambda: next(processor),
            rss=lambda: float(next(rss)),
        )
    )
    assert [sample.rss for sample in found] == [100 + n for n in range(len(found))]
    assert all(after.seconds > before.seconds for before, after in pairwise(found))
    assert found[-1].seconds >= 30
    assert all(sample.rate > 0 for sample in found)
