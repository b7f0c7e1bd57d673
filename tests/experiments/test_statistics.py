from __future__ import annotations

import random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from rlattn.experiments.statistics import Bootstrap, corpus_scores, interquartile_mean

WORDS = ["the", "a", "old", "young", "cat", "dog", "house", "sees", "hears", "under", "and", ","]


def corpus(sentences: int = 120, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(5, 14))) for _ in range(sentences)]


def worsened(sentences: list[str], share: float, seed: int = 1) -> list[str]:
    """Replaces a share of the words by a wrong one."""
    rng = random.Random(seed)
    return [
        " ".join("wrong" if rng.random() < share else word for word in sentence.split())
        for sentence in sentences
    ]


REFERENCES = corpus()
GOOD = worsened(REFERENCES, 0.1)
POOR = worsened(REFERENCES, 0.3)


def test_scores_are_sacrebleus_with_its_signatures() -> None:
    scores = corpus_scores(GOOD, REFERENCES)
    assert scores.bleu == BLEU().corpus_score(GOOD, [REFERENCES]).score
    assert scores.chrf == CHRF().corpus_score(GOOD, [REFERENCES]).score
    assert scores.bleu_signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
    assert scores.chrf_signature.startswith(
        "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:"
    )


def test_estimates_are_the_corpus_scores_inside_their_intervals() -> None:
    bootstrap, scores = Bootstrap(REFERENCES), corpus_scores(GOOD, REFERENCES)
    for estimate, score in (
        (bootstrap.bleu(GOOD), scores.bleu),
        (bootstrap.chrf(GOOD), scores.chrf),
    ):
        assert estimate.value == pytest.approx(score)
        assert estimate.low < estimate.value < estimate.high


def test_resampling_counts_is_scoring_the_resampled_text() -> None:
    bootstrap = Bootstrap(REFERENCES, resamples=5)
    for metric in (BLEU(), CHRF()):
        _, fast = bootstrap._resampled(metric, GOOD)
        for draws, score in zip(bootstrap._draws, fast, strict=True):
            chosen = np.repeat(np.arange(len(GOOD)), draws)
            hypotheses, references = ([text[i] for i in chosen] for text in (GOOD, REFERENCES))
            assert metric.corpus_score(hypotheses, [references]).score == pytest.approx(score)


def test_intervals_agree_with_sacrebleus_own_bootstrap() -> None:
    estimate = Bootstrap(REFERENCES).bleu(GOOD)
    paired = PairedTest(
        [("poor", POOR), ("good", GOOD)], {"BLEU": BLEU()}, [REFERENCES], test_type="bs"
    )
    theirs = paired()[1]["BLEU"][1]
    assert (estimate.high - estimate.low) / 2 == pytest.approx(theirs.ci, rel=0.15)


def test_a_clear_difference_is_significant_and_the_direction_does_not_matter() -> None:
    bootstrap = Bootstrap(REFERENCES)
    assert bootstrap.p_value(POOR, GOOD) == bootstrap.p_value(GOOD, POOR) == 1 / 1001


def test_equal_outputs_are_never_significant() -> None:
    assert Bootstrap(REFERENCES).p_value(GOOD, GOOD) == 1


def test_p_values_of_equally_good_methods_are_spread_evenly() -> None:
    rows = []
    for trial in range(60):
        references = corpus(60, seed=trial)
        left, right = (worsened(references, 0.2, seed=1000 * trial + side) for side in (1, 2))
        rows.append(Bootstrap(references, resamples=200).p_value(left, right))
    assert 0.35 < np.mean(rows) < 0.65
    assert np.mean(np.asarray(rows) < 0.1) < 0.25


def test_the_same_seed_gives_the_same_numbers() -> None:
    assert Bootstrap(REFERENCES, seed=3).bleu(GOOD) == Bootstrap(REFERENCES, seed=3).bleu(GOOD)
    assert Bootstrap(REFERENCES, seed=3).bleu(GOOD) != Bootstrap(REFERENCES, seed=4).bleu(GOOD)


def test_no_sentences_or_another_number_of_them_is_an_error() -> None:
    with pytest.raises(ValueError, match="no sentences"):
        corpus_scores([], [])
    with pytest.raises(ValueError, match="1 sentences were given for 120 references"):
        corpus_scores(["one"], REFERENCES)
    with pytest.raises(ValueError, match="2 numbers were given for 120 texts"):
        Bootstrap(REFERENCES).mean([1.0, 2.0])


def test_a_mean_over_seeds_lies_between_them_in_a_wider_interval() -> None:
    bootstrap = Bootstrap(REFERENCES)
    found = bootstrap.over_seeds(BLEU(), [GOOD, POOR])
    good, poor = bootstrap.bleu(GOOD), bootstrap.bleu(POOR)
    assert found.value == pytest.approx((good.value + poor.value) / 2)
    # Two seeds apart: now both draws are the one, now both the other.
    assert found.low < poor.value < good.value < found.high


def test_a_single_seed_has_the_interval_of_its_sentences() -> None:
    bootstrap = Bootstrap(REFERENCES)
    assert bootstrap.over_seeds(BLEU(), [GOOD]) == bootstrap.bleu(GOOD)


def test_equal_seeds_add_no_spread() -> None:
    bootstrap = Bootstrap(REFERENCES)
    one, three = (bootstrap.over_seeds(BLEU(), [GOOD] * n) for n in (1, 3))
    assert (three.value, three.low, three.high) == pytest.approx((one.value, one.low, one.high))


def test_an_interquartile_mean_is_that_of_the_middle_half() -> None:
    # Of eight numbers two are cut at either end, wherever they stand.
    found = interquartile_mean([[0.0, 7.0, 2.0, 3.0], [4.0, 5.0, 1.0, 1000.0]])
    assert found.value == pytest.approx(np.mean([2, 3, 4, 5]))
    assert interquartile_mean([[1.0, 2.0, 6.0]]).value == pytest.approx(3.0)


def test_an_interquartile_mean_resamples_each_task_by_itself() -> None:
    apart = interquartile_mean([[0.0] * 4, [1.0] * 4])
    assert (apart.value, apart.low, apart.high) == pytest.approx((0.5, 0.5, 0.5))
    together = interquartile_mean([[0.0] * 4 + [1.0] * 4])
    assert together.low < 0.3 < 0.7 < together.high


def test_an_interquartile_mean_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one score for each task"):
        interquartile_mean([[1.0], []])
