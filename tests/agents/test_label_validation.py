"""Validation by how a host labels what a policy has it read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from rlattn.agents import LabelValidator, Meter
from rlattn.agents.best import score
from rlattn.agents.label_validation import label_quality
from rlattn.corpora import Pair
from rlattn.experiments.label_scores import LabelBootstrap
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import Readings, TrainedPolicy
from tests.experiments.labelling import NAMES, certain, likely
from tests.inference.policies import strong

RNG = np.random.default_rng(0)
GOLD = [NAMES[n] for n in RNG.integers(3, size=40)]
PAIRS = [Pair(f"text {number}", label) for number, label in enumerate(GOLD)]
READ = likely(RNG.dirichlet(np.ones(3), size=40))


class TestLabelQuality:
    def test_it_is_that_of_scikit_learn(self) -> None:
        accuracy, likelihood = label_quality(READ, GOLD)
        assert accuracy == pytest.approx(100 * float(accuracy_score(GOLD, READ.labels)))
        exact = READ.probabilities.astype(np.float64)
        loss = log_loss(GOLD, exact / exact.sum(1, keepdims=True), labels=NAMES)
        assert likelihood == pytest.approx(-float(loss), rel=1e-6)

    def test_the_order_of_the_columns_is_no_matter(self) -> None:
        turned = replace(READ, names=NAMES[::-1], probabilities=READ.probabilities[:, ::-1])
        assert label_quality(turned, GOLD) == pytest.approx(label_quality(READ, GOLD))

    def test_certain_and_right_is_the_best(self) -> None:
        assert label_quality(certain(GOLD), GOLD) == (100.0, 0.0)

    def test_a_probability_of_zero_counts_as_it_does_on_test_texts(self) -> None:
        wrong = certain([NAMES[NAMES.index(label) - 1] for label in GOLD])
        accuracy, likelihood = label_quality(wrong, GOLD)
        assert accuracy == 0
        assert math.isfinite(likelihood)
        assert likelihood == pytest.approx(LabelBootstrap(GOLD, NAMES).log_likelihood(wrong).value)


class Script:
    """Stands in for labelling: gives what was written before, and remembers who asked.

    Args:
        turns: Of each validation, how many texts are labelled rightly, and the reads.
    """

    def __init__(self, *turns: tuple[int, float]) -> None:
        self.turns, self.policies = list(turns), list[TrainedPolicy]()

    def __call__(self, texts: Sequence[str], policy: TrainedPolicy) -> Readings:
        assert texts == [pair.source for pair in PAIRS]
        right, reads = self.turns[len(self.policies)]
        self.policies.append(policy)
        wrong = [NAMES[NAMES.index(label) - 1] for label in GOLD]
        given = certain([*GOLD[:right], *wrong[right:]])
        return replace(given, reads_fraction=[reads] * len(GOLD))


def validated(host: Seq2SeqHost, script: Script, **settings: Any) -> LabelValidator:
    """Validates as often as the script has turns."""
    validator = LabelValidator(PAIRS, Meter(host), native_accuracy=80, classify=script, **settings)
    for turn in range(len(script.turns)):
        validator.validate(strong(host, seed=turn), env_steps=10 * turn)
    return validator


class TestLabelValidator:
    def test_every_validation_is_a_point_of_the_curve(self, host: Seq2SeqHost) -> None:
        script = Script((10, 0.5), (30, 0.4), (20, 0.3))
        validator = validated(host, script)
        assert [point.env_steps for point in validator.curve] == [0, 10, 20]
        assert [point.accuracy for point in validator.curve] == pytest.approx([25, 75, 50])
        assert [point.reads_fraction for point in validator.curve] == pytest.approx([0.5, 0.4, 0.3])
        assert validator.best is validator.curve[1]
        assert validator.policy is script.policies[1]

    def test_of_equally_accurate_ones_the_thriftier_is_kept_where_reads_cost(
        self, host: Seq2SeqHost
    ) -> None:
        script = Script((30, 0.9), (30, 0.2), (30, 0.5))
        assert validated(host, script, reads_weight=-0.1).policy is script.policies[1]

    @pytest.mark.parametrize("settings", [{}, {"reads_weight": -0.5}, {"reads_target": 0.4}])
    def test_checkpoints_are_chosen_by_accuracy_and_reads(
        self, host: Seq2SeqHost, settings: dict[str, float]
    ) -> None:
        target, weight = settings.get("reads_target"), settings.get("reads_weight", 0.0)
        script = Script((10, 0.5), (30, 0.4), (20, 0.3))
        for point in validated(host, script, **settings).curve:
            expected = score(point.accuracy, point.reads_fraction, target, weight, 80)
            assert point.score == pytest.approx(expected)
