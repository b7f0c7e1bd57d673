from __future__ import annotations

from dataclasses import astuple, replace
from math import comb, log

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, f1_score, log_loss

from rlattn.experiments.label_scores import LabelBootstrap, McNemar
from rlattn.experiments.resampling import Estimate
from rlattn.inference.readings import Readings
from tests.experiments.labelling import NAMES, certain, likely

SCORES = ("accuracy", "macro_f1", "calibration_error", "log_likelihood")


def made(texts: int = 300, sharpness: float = 1.0, seed: int = 0) -> tuple[list[str], Readings]:
    """Labels drawn from probabilities, and these; if sharpness is not 1, they were distorted."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(texts, 3)) + [0.5, 0, -0.5]
    drawn = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    powers = np.exp(sharpness * logits)
    return [NAMES[n] for n in drawn], likely(powers / powers.sum(axis=1, keepdims=True))


TRUTH, GOOD = made()
POOR = likely(np.random.default_rng(1).dirichlet(np.ones(3), size=len(TRUTH)))


def calibration_error(truth: list[str], readings: Readings) -> float:
    """By the bins of scikit-learn's calibration curve, weighted by their texts."""
    confidence = readings.probabilities.max(axis=1).astype(np.float64)
    right = np.asarray(readings.labels) == np.asarray(truth)
    accuracy, mean = calibration_curve(right, confidence, n_bins=15)
    texts, _ = np.histogram(confidence, bins=15, range=(0, 1))
    return float((np.abs(accuracy - mean) * texts[texts > 0]).sum() / len(truth))


def by_scikit_learn(score: str, truth: list[str], readings: Readings) -> float:
    if score == "accuracy":
        return 100 * float(accuracy_score(truth, readings.labels))
    if score == "macro_f1":
        return 100 * float(f1_score(truth, readings.labels, average="macro"))
    if score == "calibration_error":
        return calibration_error(truth, readings)
    exact = readings.probabilities.astype(np.float64)
    return -float(log_loss(truth, exact / exact.sum(axis=1, keepdims=True), labels=NAMES))


def some(readings: Readings, chosen: np.ndarray) -> Readings:
    """What was made of some of the texts."""
    return likely(readings.probabilities[chosen])


def estimate(bootstrap: LabelBootstrap, score: str, *seeds: Readings) -> Estimate:
    found: Estimate = getattr(bootstrap, score)(*seeds)
    return found


def exactly(value: float) -> Estimate:
    return Estimate(value, value, value)


@pytest.mark.parametrize("score", SCORES)
def test_scores_are_those_of_scikit_learn_inside_their_intervals(score: str) -> None:
    found = estimate(LabelBootstrap(TRUTH, NAMES), score, GOOD)
    assert found.value == pytest.approx(by_scikit_learn(score, TRUTH, GOOD), rel=1e-6)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("score", SCORES)
def test_resampling_counts_is_scoring_the_resampled_texts(score: str) -> None:
    # Of a dozen texts, most resamples lack a label.
    truth, readings = TRUTH[:12], some(GOOD, np.arange(12))
    bootstrap = LabelBootstrap(truth, NAMES, resamples=50)
    scores = []
    for draws in bootstrap._draws:
        chosen = np.repeat(np.arange(12), draws)
        resampled = [truth[i] for i in chosen]
        scores.append(by_scikit_learn(score, resampled, some(readings, chosen)))
    low, high = np.quantile(scores, (0.025, 0.975))
    found = estimate(bootstrap, score, readings)
    if score == "calibration_error":  # mirrored, and never below 0
        low, high = max(0, 2 * found.value - high), max(found.value, 2 * found.value - low)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-5)


def test_all_scores_and_means_share_their_resamples() -> None:
    bootstrap = LabelBootstrap(TRUTH, NAMES)
    right = [100.0 * (a == b) for a, b in zip(TRUTH, GOOD.labels, strict=True)]
    found, expected = bootstrap.accuracy(GOOD), bootstrap.mean(right)
    assert astuple(found) == pytest.approx(astuple(expected))


def test_an_interval_of_accuracy_is_the_textbooks() -> None:
    truth, readings = made(texts=2000)
    found = LabelBootstrap(truth, NAMES).accuracy(readings)
    share = found.value / 100
    error = 100 * (share * (1 - share) / 2000) ** 0.5
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_an_interval_of_the_calibration_error_holds_the_true_one() -> None:
    # The true error of these probabilities, from very many texts.
    expected = calibration_error(*made(texts=100_000, sharpness=1.5))
    assert expected > 0.05
    held = 0
    for seed in range(50):
        truth, readings = made(texts=500, sharpness=1.5, seed=seed)
        found = LabelBootstrap(truth, NAMES, resamples=200).calibration_error(readings)
        held += found.low <= expected <= found.high
    assert held >= 43


def test_the_value_of_the_calibration_error_is_never_outside_its_interval() -> None:
    for seed in range(50):
        truth, readings = made(texts=100, seed=seed)
        found = LabelBootstrap(truth, NAMES, resamples=200).calibration_error(readings)
        assert 0 <= found.low <= found.value <= found.high


def test_only_within_a_bin_does_too_little_confidence_make_up_for_too_much() -> None:
    names, truth = ("no", "yes"), ["yes", "no"]
    for least, alike in ((0.88, True), (0.85, False)):  # an edge is at 13/15, which is 0.867
        readings = likely([[0.1, 0.9], [1 - least, least]], names)
        found = LabelBootstrap(truth, names).calibration_error(readings).value
        gaps = (1 - 0.9, -least)
        expected = abs(sum(gaps)) if alike else sum(map(abs, gaps))
        assert found == pytest.approx(expected / 2, rel=1e-5)


def test_all_right_and_certain_is_the_best_of_every_score() -> None:
    bootstrap, perfect = LabelBootstrap(TRUTH, NAMES), certain(TRUTH)
    assert bootstrap.accuracy(perfect) == bootstrap.macro_f1(perfect) == exactly(100)
    assert bootstrap.calibration_error(perfect) == bootstrap.log_likelihood(perfect) == exactly(0)


def test_all_wrong_and_certain_is_the_worst_and_still_a_number() -> None:
    wrong = certain([NAMES[NAMES.index(label) - 1] for label in TRUTH])
    bootstrap = LabelBootstrap(TRUTH, NAMES)
    assert bootstrap.accuracy(wrong) == bootstrap.macro_f1(wrong) == exactly(0)
    assert bootstrap.calibration_error(wrong) == exactly(1)
    # A probability of 0 counts as the smallest positive number of float32.
    found = bootstrap.log_likelihood(wrong)
    assert astuple(found) == pytest.approx((-149 * log(2),) * 3)
    assert found.value == pytest.approx(np.log(np.nextafter(np.float32(0), np.float32(1))))


def test_a_single_text_has_no_spread() -> None:
    bootstrap = LabelBootstrap(["plant"], NAMES)
    readings = likely([0.25, 0.5, 0.25])
    assert bootstrap.accuracy(readings) == bootstrap.macro_f1(readings) == exactly(100)
    assert bootstrap.calibration_error(readings) == exactly(0.5)
    assert bootstrap.log_likelihood(readings) == exactly(log(0.5))
    assert bootstrap.mcnemar(readings, certain(["stone"])) == McNemar(1, 0, 1.0)


def test_a_label_that_never_occurs_takes_no_part_in_macro_f1() -> None:
    truth, said = ["animal", "plant"] * 20, ["animal"] * 30 + ["plant"] * 10
    with_it = LabelBootstrap(truth, NAMES).macro_f1(certain(said))
    without = LabelBootstrap(truth, NAMES[:2]).macro_f1(certain(said, NAMES[:2]))
    assert with_it == without


def test_a_label_that_is_only_true_or_only_predicted_has_an_f1_of_0() -> None:
    bootstrap = LabelBootstrap(["animal", "plant"], NAMES)
    assert bootstrap.macro_f1(certain(["animal", "animal"])).value == pytest.approx(200 / 6)
    assert bootstrap.macro_f1(certain(["animal", "stone"])).value == pytest.approx(100 / 3)


@pytest.mark.parametrize("score", SCORES)
def test_a_score_over_seeds_is_their_mean_in_a_wider_interval(score: str) -> None:
    bootstrap = LabelBootstrap(TRUTH, NAMES)
    good, poor, both = (estimate(bootstrap, score, *s) for s in ([GOOD], [POOR], [GOOD, POOR]))
    assert both.value == pytest.approx((good.value + poor.value) / 2)
    assert both.high - both.low > max(good.high - good.low, poor.high - poor.low)
    thrice = estimate(bootstrap, score, GOOD, GOOD, GOOD)
    assert astuple(thrice) == pytest.approx(astuple(good))


def test_a_mean_over_seeds_is_that_of_scores_over_seeds() -> None:
    bootstrap = LabelBootstrap(TRUTH, NAMES)
    right = [
        [100.0 * (a == b) for a, b in zip(TRUTH, each.labels, strict=True)] for each in (GOOD, POOR)
    ]
    found, expected = bootstrap.mean_over_seeds(right), bootstrap.accuracy(GOOD, POOR)
    assert astuple(found) == pytest.approx(astuple(expected))


def test_mcnemars_test_counts_the_texts_that_one_method_alone_labels_rightly() -> None:
    truth = ["animal"] * 20
    method = certain(["animal"] * 12 + ["plant"] * 8)
    baseline = certain(["stone"] * 9 + ["animal"] * 5 + ["stone"] * 6)
    found = LabelBootstrap(truth, NAMES).mcnemar(method, baseline)
    assert (found.gained, found.lost) == (9, 2)
    # Nine heads or more, and two or fewer, of eleven fair coins.
    tail = sum(comb(11, heads) for heads in range(3)) / 2**11
    assert found.p_value == pytest.approx(2 * tail)
    assert LabelBootstrap(truth, NAMES).mcnemar(baseline, method) == McNemar(2, 9, found.p_value)


def test_methods_that_are_right_equally_often_are_never_told_apart() -> None:
    bootstrap = LabelBootstrap(TRUTH, NAMES)
    assert bootstrap.mcnemar(GOOD, GOOD) == McNemar(0, 0, 1.0)
    two = LabelBootstrap(["animal", "plant"], NAMES)
    assert two.mcnemar(certain(["animal"] * 2), certain(["plant"] * 2)) == McNemar(1, 1, 1.0)
    # Wrong in different ways is wrong alike.
    assert two.mcnemar(certain(["plant", "animal"]), certain(["stone"] * 2)).p_value == 1


def test_mcnemars_p_of_equally_good_methods_is_seldom_small() -> None:
    rng = np.random.default_rng(0)
    small = 0
    for _ in range(200):
        methods = [certain([NAMES[n] for n in rng.integers(3, size=60)]) for _ in range(2)]
        small += LabelBootstrap(["animal"] * 60, NAMES, resamples=1).mcnemar(*methods).p_value < 0.1
    assert small / 200 <= 0.1


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, again, other = (LabelBootstrap(TRUTH, NAMES, seed=seed) for seed in (3, 3, 4))
    assert first.macro_f1(GOOD) == again.macro_f1(GOOD) != other.macro_f1(GOOD)


def test_what_does_not_match_the_texts_is_an_error() -> None:
    bootstrap = LabelBootstrap(TRUTH[:2], NAMES)
    pair = some(GOOD, np.arange(2))
    with pytest.raises(ValueError, match="no texts"):
        LabelBootstrap([], NAMES)
    with pytest.raises(ValueError, match="'metal' is not among 'animal', 'plant', 'stone'"):
        LabelBootstrap(["metal"], NAMES)
    with pytest.raises(ValueError, match="'metal' is not among"):
        bootstrap.accuracy(replace(pair, labels=["metal", "plant"]))
    for score in SCORES:
        with pytest.raises(ValueError, match="300 labels were given for 2 texts"):
            estimate(bootstrap, score, GOOD)
        with pytest.raises(ValueError, match="no seeds"):
            estimate(bootstrap, score)
        with pytest.raises(ValueError, match="in this order"):
            estimate(bootstrap, score, likely(pair.probabilities, NAMES[::-1]))
    for method, baseline in ((pair, GOOD), (GOOD, pair)):
        with pytest.raises(ValueError, match="300 labels were given for 2 texts"):
            bootstrap.mcnemar(method, baseline)
    with pytest.raises(ValueError, match="3 numbers were given for 2 texts"):
        bootstrap.mean([0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match=r"shape \(2, 2\), expected \(2, 3\)"):
        bootstrap.accuracy(replace(pair, probabilities=pair.probabilities[:, :2]))


@pytest.mark.parametrize("value", [-0.5, 1.5, float("nan")])
def test_what_is_no_probability_is_an_error(value: float) -> None:
    readings = likely([[0.5, 0.25, 0.25], [0.5, 0.25, value]])
    with pytest.raises(ValueError, match="expected 0 to 1"):
        LabelBootstrap(["animal", "plant"], NAMES).log_likelihood(readings)
