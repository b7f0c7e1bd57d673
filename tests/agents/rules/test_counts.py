"""Counts of positions come to the reads that are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.agents.rules.counts import check_share, counts_for
from rlattn.errors import InputError

LENGTHS = np.random.default_rng(0).integers(1, 40, 200)


@pytest.mark.parametrize("reads", [0.05, 0.2, 0.5, 0.93, 1.0])
def test_counts_meet_the_reads_and_hardly_exceed_them(reads: float) -> None:
    counts = counts_for(LENGTHS, reads)
    assert (counts >= 1).all()
    assert (counts <= LENGTHS).all()
    mean = np.mean(counts / LENGTHS)
    least = np.mean(1 / LENGTHS)
    assert reads <= mean + 1e-12
    assert mean < max(reads, least) + 0.03


def test_longer_sources_keep_more() -> None:
    counts = counts_for(np.array([4, 8, 16, 32]), 0.5)
    assert counts.tolist() == [2, 4, 8, 16]
    assert counts_for(np.array([1, 7]), 1.0).tolist() == [1, 7]


@pytest.mark.parametrize("value", [0.0, -0.1, 1.01, float("nan")])
def test_what_is_no_share_is_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"topk: reads of .* above 0 and at most 1"):
        check_share(value, "topk: reads")
