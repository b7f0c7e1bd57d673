"""Validation by what a policy has a host write."""

from __future__ import annotations

from typing import Any

import pytest

from rlattn.agents import Meter, Validator
from rlattn.agents.best import score
from rlattn.experiments.statistics import corpus_scores
from rlattn.hosts import Seq2SeqHost
from tests.agents.validations import PAIRS, Script
from tests.inference.policies import strong

TURNS = ((2, 0.5), (4, 0.4), (3, 0.3))


def validated(host: Seq2SeqHost, script: Script, **settings: Any) -> Validator:
    """Validates as often as the script has turns."""
    validator = Validator(PAIRS, Meter(host), native_bleu=60.0, translate=script, **settings)
    for turn in range(len(script.turns)):
        validator.validate(strong(host, seed=turn), env_steps=10 * turn)
    return validator


def test_every_validation_is_a_point_of_the_curve(host: Seq2SeqHost) -> None:
    script = Script(*TURNS)
    validator = validated(host, script)
    assert [point.env_steps for point in validator.curve] == [0, 10, 20]
    assert [point.reads_fraction for point in validator.curve] == pytest.approx([0.5, 0.4, 0.3])
    first, second, third = (point.bleu for point in validator.curve)
    assert first < third < second
    assert validator.best == validator.curve[1]
    assert validator.policy is script.policies[1]


def test_a_point_has_the_scores_of_what_was_written(host: Seq2SeqHost) -> None:
    (point,) = validated(host, Script((5, 0.5))).curve
    output = Script((5, 0.5))([pair.source for pair in PAIRS], strong(host))
    scores = corpus_scores(output.texts, [pair.target for pair in PAIRS])
    assert (point.bleu, point.chrf) == pytest.approx((scores.bleu, scores.chrf))


@pytest.mark.parametrize("settings", [{}, {"reads_weight": -0.5}, {"reads_target": 0.4}])
def test_checkpoints_are_chosen_by_bleu_and_reads(
    host: Seq2SeqHost, settings: dict[str, float]
) -> None:
    target, weight = settings.get("reads_target"), settings.get("reads_weight", 0.0)
    for point in validated(host, Script(*TURNS), **settings).curve:
        expected = score(point.bleu, point.reads_fraction, target, weight, 60.0)
        assert point.score == pytest.approx(expected)
