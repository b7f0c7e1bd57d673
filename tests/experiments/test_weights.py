from __future__ import annotations

import pytest

from rlattn.errors import InputError
from rlattn.experiments.weights import parse_weights


def test_weights_are_read_in_order() -> None:
    weights = parse_weights(["fidelity=1", "reads=-0.5", "chrf=1e-2"])
    assert list(weights.items()) == [("fidelity", 1.0), ("reads", -0.5), ("chrf", 0.01)]


def test_one_quoted_argument_may_hold_several() -> None:
    assert parse_weights(["fidelity=1 reads=-0.5"]) == parse_weights(["fidelity=1", "reads=-0.5"])


def test_a_weight_may_be_a_schedule_or_a_target() -> None:
    weights = parse_weights(["reads=-0.1:-0.5:1000", "shuffled:latency=target:0.3"])
    assert weights["reads"] == {"start": -0.1, "end": -0.5, "steps": 1000}
    assert weights["shuffled:latency"] == {"target": 0.3}


def test_nothing_given_is_nothing() -> None:
    assert parse_weights([]) == {}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["fidelity"], "'fidelity' should be name=weight, for example fidelity=1"),
        (["=1"], "'=1' should be name=weight"),
        (["fidelity="], "'fidelity=' should have a finite number"),
        (["fidelity=much"], "'fidelity=much' should have a finite number"),
        (["fidelity=1=2"], "'fidelity=1=2' should have a finite number"),
        (["fidelity=nan"], "'fidelity=nan' should have a finite number"),
        (["fidelity=-inf"], "'fidelity=-inf' should have a finite number"),
        (["reads=-0.1:-0.5"], "START:END:STEPS"),
        (["reads=-0.1:-0.5:few"], "START:END:STEPS"),
        (["reads=goal:0.5"], "or target:NUMBER"),
        (["reads=target:nan"], "or target:NUMBER"),
        (["reads=1", "reads=1"], "'reads' is given twice"),
    ],
)
def test_anything_else_is_bad_input(items: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_weights(items)
