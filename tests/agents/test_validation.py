"""The checkpoint that is kept is the best on validation, by quality and reads."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rlattn.agents import Meter, Validator
from rlattn.hosts import Seq2SeqHost
from tests.agents.validations import PAIRS, Script
from tests.inference.policies import strong


def validated(host: Seq2SeqHost, script: Script, **settings: Any) -> Validator:
    """Validates as often as the script has turns."""
    validator = Validator(PAIRS, Meter(host), native_bleu=100.0, translate=script, **settings)
    for turn in range(len(script.turns)):
        validator.validate(strong(host, seed=turn), env_steps=10 * turn)
    return validator


def kept(validator: Validator, script: Script) -> int:
    """Which turn's policy was kept."""
    return script.policies.index(validator.policy)


def test_every_validation_is_a_point_of_the_curve(host: Seq2SeqHost) -> None:
    script = Script((2, 0.5), (4, 0.4), (3, 0.3))
    validator = validated(host, script)
    assert [point.env_steps for point in validator.curve] == [0, 10, 20]
    assert [point.reads_fraction for point in validator.curve] == pytest.approx([0.5, 0.4, 0.3])
    first, second, third = (point.bleu for point in validator.curve)
    assert first < third < second
    assert validator.best == validator.curve[1]


def test_without_a_target_quality_is_weighed_against_reads(host: Seq2SeqHost) -> None:
    thrifty = Script((8, 0.9), (7, 0.2))
    assert kept(validated(host, thrifty, reads_weight=-0.5), thrifty) == 1
    lavish = Script((8, 0.9), (7, 0.2))
    assert kept(validated(host, lavish, reads_weight=0.0), lavish) == 0


def test_with_a_target_only_those_that_meet_it_compete(host: Seq2SeqHost) -> None:
    script = Script((8, 0.9), (3, 0.25), (5, 0.24), (4, 0.1))
    assert kept(validated(host, script, reads_target=0.25), script) == 2


def test_before_the_target_is_met_the_one_that_reads_least_is_kept(host: Seq2SeqHost) -> None:
    script = Script((8, 0.9), (2, 0.5), (8, 0.6))
    assert kept(validated(host, script, reads_target=0.25), script) == 1


def test_before_the_first_validation_there_is_no_best(host: Seq2SeqHost) -> None:
    with pytest.raises(RuntimeError, match="nothing was validated"):
        _ = validated(host, Script()).policy


def test_validating_costs_the_training_nothing(host: Seq2SeqHost) -> None:
    def translate(*given: Any) -> Any:
        time.sleep(0.2)
        host.usage.forwards += 1000
        return Script((1, 0.5))(*given)

    meter = Meter(host)
    validator = Validator(PAIRS, meter, native_bleu=1.0, translate=translate)
    host.usage.forwards += 3
    point = validator.validate(strong(host), 0)
    host.usage.forwards += 4
    assert point.spent.forwards == 3
    assert meter.spent.forwards == 7
    assert point.spent.seconds <= meter.spent.seconds < 0.2
