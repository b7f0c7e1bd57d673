"""Sentence scores come at the end of a sentence, to the lane whose sentence it is."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

from rlattn.rewards import Bleu, Chrf, SentenceReward
from tests.rewards.steps import step

HYPOTHESIS, REFERENCE = "the cat sat on the mat", "the cat sat on a mat"


@pytest.mark.parametrize("term", [Bleu(), Chrf()])
def test_nothing_is_scored_before_the_end(term: SentenceReward) -> None:
    assert term(step()).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("term", [Bleu(), Chrf()])
def test_the_lane_that_ended_gets_the_score(term: SentenceReward) -> None:
    done = step(done=np.array([False, True]), hypotheses=[HYPOTHESIS], references=[REFERENCE])
    score = term.score(HYPOTHESIS, REFERENCE)
    assert 0 < score < 1
    assert term(done).tolist() == pytest.approx([0.0, score])
    both = step(
        done=np.array([True, True]),
        hypotheses=["nothing alike", REFERENCE],
        references=[REFERENCE, REFERENCE],
    )
    assert term(both)[0] < 0.2
    assert term(both)[1] == pytest.approx(1.0)


def test_scores_are_those_of_sacrebleu_as_a_fraction() -> None:
    bleu = sacrebleu.sentence_bleu(HYPOTHESIS, [REFERENCE]).score
    chrf = sacrebleu.sentence_chrf(HYPOTHESIS, [REFERENCE]).score
    assert Bleu().score(HYPOTHESIS, REFERENCE) == pytest.approx(bleu / 100)
    assert Chrf().score(HYPOTHESIS, REFERENCE) == pytest.approx(chrf / 100)


@pytest.mark.parametrize("term", [Bleu(), Chrf()])
def test_an_empty_translation_scores_nothing(term: SentenceReward) -> None:
    assert term.score("", REFERENCE) == 0.0
