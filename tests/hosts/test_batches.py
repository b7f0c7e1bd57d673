from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlattn.hosts.batches import Ragged, batches

PAD = 0


def numbered_pairs(lengths: list[tuple[int, int]]) -> tuple[Ragged, Ragged]:
    """Pair i repeats the token i + 1 on both sides."""
    sources = [[i + 1] * source for i, (source, _) in enumerate(lengths)]
    targets = [[i + 1] * target for i, (_, target) in enumerate(lengths)]
    return Ragged(sources, PAD), Ragged(targets, PAD)


def test_rows_are_padded_on_the_right_to_the_longest_of_them() -> None:
    ragged = Ragged([[5], [6, 7, 8], [9, 9]], PAD)
    assert torch.equal(ragged[np.array([2, 0])], torch.tensor([[9, 9], [5, 0]]))
    assert ragged[np.array([1])].dtype == torch.int64


@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=40),
    st.integers(12, 60),
)
def test_one_pass_has_every_pair_once_and_no_batch_is_too_large(
    lengths: list[tuple[int, int]], tokens: int
) -> None:
    seen: list[int] = []
    for batch in batches(*numbered_pairs(lengths), tokens, np.random.default_rng(0)):
        assert batch.sources.shape[0] == batch.targets.shape[0]
        assert max(batch.sources.numel(), batch.targets.numel()) <= tokens
        assert torch.equal(batch.sources[:, 0], batch.targets[:, 0])
        for source, target in zip(*batch, strict=True):
            pair = int(source[0])
            assert (int((source != PAD).sum()), int((target != PAD).sum())) == lengths[pair - 1]
            seen.append(pair)
        if len(seen) >= len(lengths):
            break
    assert sorted(seen) == list(range(1, len(lengths) + 1))


def test_a_pair_longer_than_a_batch_comes_alone() -> None:
    endless = batches(*numbered_pairs([(9, 2), (1, 1)]), 4, np.random.default_rng(0))
    assert sorted(batch.sources.shape for batch in islice(endless, 2)) == [(1, 1), (1, 9)]


def test_pairs_of_similar_length_share_a_batch() -> None:
    lengths = [(n, n) for n in range(1, 51)] * 20
    endless = batches(*numbered_pairs(lengths), 200, np.random.default_rng(0))
    first = list(islice(endless, 100))
    padding = sum(int((batch.sources == PAD).sum()) for batch in first)
    assert padding < 0.1 * sum(batch.sources.numel() for batch in first)


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_the_seed_decides_the_order(seed: int, same: bool) -> None:
    pairs = numbered_pairs([(1, 1)] * 50)
    orders = [
        torch.cat([b.sources[:, 0] for b in islice(batches(*pairs, 5, generator), 10)])
        for generator in (np.random.default_rng(0), np.random.default_rng(seed))
    ]
    assert torch.equal(*orders) is same
