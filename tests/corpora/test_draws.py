"""Draws depend on their key alone."""

from __future__ import annotations

import pytest

from rlattn.corpora.draws import Draw


def test_the_key_names_the_stream():
    def stream(*key):
        draw = Draw(*key)
        return [draw.below(1000) for _ in range(20)]

    assert stream("a", 1) == stream("a", 1)
    assert stream("a", 1) != stream("a", 2)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 9])
def test_several_items_are_different(count):
    items = Draw(0).several("abcde", count)
    assert len(set(items)) == len(items) == min(count, 5)


def test_draws_are_uniform():
    draw = Draw("coin")
    counts = [0] * 5
    for _ in range(10_000):
        counts[draw.below(5)] += 1
    assert all(abs(count - 2000) < 200 for count in counts)
