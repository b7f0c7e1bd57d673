"""Sentences that are scored together get what sacreBLEU gives each of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from rlattn.rewards.chrf import sentence_chrf

# Few letters, so that n-grams repeat; some that take more than one byte, and spaces of two kinds.
TEXTS = st.text("abcd ä東😀\u00a0", max_size=40)


def slow(hypothesis: str, reference: str) -> float:
    return float(CHRF().sentence_score(hypothesis, [reference]).score) / 100


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_they_get_what_sacrebleu_gives(pairs: list[tuple[str, str]]) -> None:
    expected = [slow(*pair) for pair in pairs]
    scores = sentence_chrf([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    assert scores.shape == (len(pairs),)
    assert np.allclose(scores, expected, rtol=0, atol=1e-12)


@given(TEXTS.filter(str.strip))
def test_a_perfect_sentence_gets_one(text: str) -> None:
    assert sentence_chrf([text], [text])[0] == pytest.approx(1.0)


def test_nothing_gets_nothing() -> None:
    assert sentence_chrf(["", "a", "", " "], ["a", "", "", "a b"]).tolist() == [0.0] * 4
