"""A spread score is given out as the sentence grows, and comes to the same in the end."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rlattn.errors import InputError
from rlattn.rewards import make_reward
from tests.rewards.steps import step, texts

WORDS = st.lists(st.sampled_from(["a", "b", "cat", "sat"]), min_size=1, max_size=6)


@pytest.mark.parametrize("name", ["chrf", "bleu", "ter", "exact"])
@given(st.lists(st.tuples(WORDS, WORDS), min_size=2, max_size=4))
def test_the_sum_is_the_score(name: str, sentences: list[tuple[list[str], list[str]]]) -> None:
    """Two lanes, of which the first writes one sentence after the other, the second one word."""
    term, score = make_reward(f"spread:{name}"), make_reward(name)
    for written, wanted in sentences:
        reference, total = " ".join(wanted), 0.0
        for age in range(1, len(written) + 1):
            now = texts((" ".join(written[:age]), reference), ("a", "b"))
            total += float(term(step(age=torch.tensor([age, 1]), partial=now))[0])
        end = texts((" ".join(written), reference), lanes=[0])
        expected = score(step(done=torch.tensor([True, False]), finished=end))[0]
        assert total == pytest.approx(float(expected), abs=1e-5)


def test_each_token_is_told_what_it_changed() -> None:
    term = make_reward("spread:exact")
    told = [
        term(step(age=torch.tensor([age, age]), partial=texts((ours, "a b"), (theirs, "c"))))
        for age, (ours, theirs) in enumerate([("a", "c"), ("a b", "c d")], start=1)
    ]
    assert torch.stack(told).tolist() == [[0.0, 1.0], [1.0, -1.0]]


def test_only_scores_of_sentences_can_be_spread() -> None:
    for name in ("spread:reads", "spread:spread:chrf"):
        with pytest.raises(InputError, match="step by step already"):
            make_reward(name)
