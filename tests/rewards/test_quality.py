"""Sentence scores come at the end of a sentence, to the lane whose sentence it is."""

from __future__ import annotations

import pytest
import sacrebleu
import torch

from rlattn.rewards import SentenceReward, make_reward
from tests.rewards.steps import last, step, texts

HYPOTHESIS, REFERENCE = "the cat sat on the mat", "the cat sat on a mat"
EVERY_SCORE = pytest.mark.parametrize("name", ["bleu", "chrf", "ter", "exact"])


def score_of(name: str, hypothesis: str, reference: str) -> float:
    term = make_reward(name)
    assert isinstance(term, SentenceReward)
    return term.score(["source"], [hypothesis], [reference])[0]


@EVERY_SCORE
def test_nothing_is_scored_before_the_end(name: str) -> None:
    assert make_reward(name)(step()).tolist() == [0.0, 0.0]


@EVERY_SCORE
def test_the_lane_that_ended_gets_the_score(name: str) -> None:
    finished = texts((HYPOTHESIS, REFERENCE), lanes=[1])
    done = step(done=torch.tensor([False, True]), finished=finished)
    score = score_of(name, HYPOTHESIS, REFERENCE)
    assert make_reward(name)(done).tolist() == pytest.approx([0.0, score])


@EVERY_SCORE
def test_a_perfect_sentence_is_told_from_a_bad_one(name: str) -> None:
    bad, perfect = make_reward(name)(last(("nothing alike", REFERENCE), (REFERENCE, REFERENCE)))
    if name == "ter":
        bad, perfect = 1 - bad, 1 - perfect
    assert perfect == pytest.approx(1.0)
    assert bad < 0.2


def test_scores_are_those_of_sacrebleu_as_a_fraction() -> None:
    for name in ("bleu", "chrf", "ter"):
        theirs = getattr(sacrebleu, f"sentence_{name}")(HYPOTHESIS, [REFERENCE]).score
        assert 0 < theirs < 100
        assert score_of(name, HYPOTHESIS, REFERENCE) == pytest.approx(theirs / 100)


@pytest.mark.parametrize(("name", "score"), [("bleu", 0), ("chrf", 0), ("ter", 1), ("exact", 0)])
def test_an_empty_translation_scores_nothing(name: str, score: float) -> None:
    assert score_of(name, "", REFERENCE) == score


def test_an_exact_match_minds_words_and_not_spaces() -> None:
    assert score_of("exact", " the cat  sat on a mat\n", REFERENCE) == 1.0
    assert score_of("exact", "The cat sat on a mat", REFERENCE) == 0.0
