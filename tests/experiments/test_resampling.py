from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from rlattn.experiments.resampling import Resampling

VALUES = np.random.default_rng(0).random(1600)


def test_an_interval_of_a_mean_shrinks_with_the_number_of_texts() -> None:
    few, many = Resampling(100).mean(VALUES[:100]), Resampling(1600).mean(VALUES)
    assert many.value == pytest.approx(VALUES.mean())
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(4, rel=0.25)
    # The textbook: 1.96 standard errors on both sides.
    assert many.high - many.low == pytest.approx(2 * 1.96 * VALUES.std() / 40, rel=0.1)


def test_a_constant_and_a_single_text_have_no_spread() -> None:
    assert astuple(Resampling(120).mean(np.ones(120))) == (1, 1, 1)
    assert astuple(Resampling(1).mean([0.3])) == (0.3, 0.3, 0.3)


def test_a_single_seed_has_the_interval_of_its_texts() -> None:
    resampling = Resampling(1600)
    one, expected = resampling.mean_over_seeds([VALUES]), resampling.mean(VALUES)
    assert astuple(one) == pytest.approx(astuple(expected))
    assert astuple(resampling.mean_over_seeds([VALUES] * 3)) == pytest.approx(astuple(expected))


def test_seeds_that_differ_widen_the_interval() -> None:
    resampling = Resampling(1600)
    apart = resampling.mean_over_seeds([VALUES, VALUES + 1])
    assert apart.value == pytest.approx(VALUES.mean() + 0.5)
    # Now both draws are the one, now both the other.
    assert apart.low < resampling.mean(VALUES).high < resampling.mean(VALUES + 1).low < apart.high


def test_nothing_or_another_number_of_texts_is_an_error() -> None:
    with pytest.raises(ValueError, match="no texts"):
        Resampling(0)
    with pytest.raises(ValueError, match="2 numbers were given for 3 texts"):
        Resampling(3).mean([1.0, 2.0])
    with pytest.raises(ValueError, match="2 numbers were given for 3 texts"):
        Resampling(3).mean_over_seeds([[1.0, 2.0, 3.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match="no seeds"):
        Resampling(3).mean_over_seeds([])
