"""The total is a weighted sum of terms that stay visible by name."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.errors import ContractError, InputError
from rlattn.rewards import (
    REWARDS,
    Fidelity,
    Likelihood,
    Reads,
    Step,
    TotalReward,
    register_reward,
)
from tests.rewards.steps import last, step


def test_it_is_the_weighted_sum_of_its_terms() -> None:
    total, values = TotalReward({"reads": -0.5, "fidelity": 2.0, "likelihood": 1.0})(step())
    terms = [Reads()(step()), Fidelity()(step()), Likelihood()(step())]
    assert torch.equal(values, torch.stack(terms, dim=1))
    assert torch.allclose(total, -0.5 * terms[0] + 2.0 * terms[1] + terms[2])


def test_it_needs_what_its_terms_need() -> None:
    assert TotalReward({"reads": -1.0}).needs == set()
    assert TotalReward({"fidelity": 1.0, "bleu": 1.0}).needs == {"native", "text"}
    assert TotalReward({"likelihood": 1.0}).needs == {"native", "reference"}
    assert TotalReward({"spread:chrf": 1.0, "shuffled:bleu": 1.0}).needs == {"text", "partial"}


def test_it_is_immediate_when_all_its_terms_are() -> None:
    assert TotalReward({"fidelity": 1.0, "reads": -1.0}).immediate
    for name in ("chrf", "spread:chrf", "shuffled:chrf", "constant", "coverage", "latency"):
        assert not TotalReward({"fidelity": 1.0, name: 1.0}).immediate


@pytest.mark.parametrize("name", [*sorted(REWARDS), "spread:chrf", "shuffled:reads"])
def test_every_known_term_can_be_used(name: str) -> None:
    total = TotalReward({name: 1.0})
    assert list(total.terms) == [name]
    assert total.terms[name].name == name
    for here in (step(), last(("a", "b"), ("a b", "a b"))):
        assert total(here)[0].shape == (2,)
        assert total(here)[0].isfinite().all()


def test_unknown_terms_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"unknown reward 'luck': .*fidelity.*spread:NAME"):
        TotalReward({"fidelity": 1.0, "luck": 1.0})


def test_something_must_be_rewarded() -> None:
    with pytest.raises(InputError, match="no reward"):
        TotalReward({})


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_weights_are_finite(weight: float) -> None:
    with pytest.raises(InputError, match=r"reward fidelity: .*finite"):
        TotalReward({"fidelity": weight})


def test_a_schedule_moves_with_the_steps_of_all_lanes() -> None:
    total = TotalReward({"reads": {"start": 0.0, "end": -1.0, "steps": 8}})
    weights = []
    for _ in range(5):
        weights.append(total.weights["reads"])
        reward, values = total(step())
        assert torch.allclose(reward, values[:, 0] * weights[-1])
    assert weights == [0.0, -0.25, -0.5, -0.75, -1.0]


def finish(total: TotalReward, reads: float) -> None:
    sums = np.zeros((1000, len(total.terms)))
    sums[:, list(total.terms).index("reads")] = 3 * reads
    total.finish(sums, np.full(1000, 3))


def test_a_target_sets_the_weight_of_the_reads() -> None:
    total = TotalReward({"fidelity": 1.0}, reads_target=0.2)
    assert total.reads_target == 0.2
    before = total.weights["reads"]
    assert before < 0
    finish(total, reads=0.05)
    assert before < total.weights["reads"] <= 0
    assert total.weights["fidelity"] == 1.0
    reward, values = total(step())
    assert torch.allclose(reward, values @ torch.tensor([1.0, total.weights["reads"]]))


def test_a_weight_of_the_reads_is_no_target() -> None:
    assert TotalReward({"fidelity": 1.0, "reads": -0.3}).reads_target is None


def test_any_cost_can_have_a_target() -> None:
    total = TotalReward({"fidelity": 1.0, "reads": -1.0, "latency": {"target": 0.3, "price": 2.0}})
    assert total.weights["latency"] == -2.0
    finish(total, reads=1.0)
    assert total.weights == {"fidelity": 1.0, "reads": -1.0, "latency": 0.0}


def test_a_target_starts_from_the_weight_that_is_given() -> None:
    assert TotalReward({"reads": -2.0}, reads_target=0.2).weights == {"reads": -2.0}


def test_without_a_target_the_weights_stay() -> None:
    total = TotalReward({"fidelity": 1.0, "reads": -0.5})
    finish(total, reads=1.0)
    assert total.weights == {"fidelity": 1.0, "reads": -0.5}


@pytest.mark.parametrize("target", [0.0, -0.2, 1.5, math.nan])
def test_a_target_of_reads_is_a_fraction(target: float) -> None:
    with pytest.raises(InputError, match=r"reads target.*\(0, 1\]"):
        TotalReward({"fidelity": 1.0}, target)


def test_the_reads_have_one_target() -> None:
    with pytest.raises(InputError, match="give one of them"):
        TotalReward({"reads": {"target": 0.3}}, 0.2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            torch.tensor(0.5),
            r"shape \[\]: expected a .* tensor \[2\].*for what all did",
        ),
        ([0.5, 0.5], "gave a list: expected"),
        (0.5, "gave a float:"),
        (None, "gave a NoneType"),
        (torch.zeros(2, 1), r"shape \[2, 1\]"),
        (torch.zeros(3), r"shape \[3\]"),
        (torch.tensor([1, 0]), r"torch.int64.*use .float\(\)"),
        (torch.zeros(2, device="meta"), "on meta.*on cpu"),
    ],
)
@pytest.mark.usefixtures("_registered_only_here")
def test_a_term_that_gives_no_number_for_each_lane_is_refused(given: Any, message: str) -> None:
    @register_reward
    def mistaken(step: Step) -> Tensor:
        return given

    with pytest.raises(ContractError, match=f"the reward 'mistaken' .*{message}"):
        TotalReward({"mistaken": 1.0})(step())


def test_numbers_that_are_not_finite_are_refused_by_name() -> None:
    total = TotalReward({"fidelity": 1.0, "reads": -0.5})
    total.check_finite(np.zeros((3, 2)), np.zeros(3))
    values = np.array([[0.0, 1.0], [0.0, math.nan], [0.0, math.inf]])
    with pytest.raises(ContractError, match=r"'reads' gave nan in lane 1 \(2 of 3 lanes\)"):
        total.check_finite(values, values.sum(1))


@pytest.mark.usefixtures("_registered_only_here")
def test_a_term_that_raises_is_named_with_the_lane_and_the_line() -> None:
    @register_reward
    def divided(step: Step) -> Tensor:
        ones = [1 / (token - 7) for token in step.token.tolist()]
        return torch.tensor(ones)

    here = step()
    here.token[1] = 7
    with pytest.raises(ContractError) as raised:
        TotalReward({"divided": 1.0})(here)
    assert "the reward 'divided' raised ZeroDivisionError: " in str(raised.value)
    assert re.search(r"test_total\.py, line \d+\)$", str(raised.value))
    assert raised.value.lane == 1
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


@pytest.mark.usefixtures("_registered_only_here")
def test_where_no_lane_raises_by_itself_none_is_named() -> None:
    @register_reward
    def together(step: Step) -> Tensor:
        if len(step.token) > 1:
            raise RuntimeError("too many")
        return torch.zeros(1)

    with pytest.raises(ContractError, match="raised RuntimeError: too many") as raised:
        TotalReward({"together": 1.0})(step())
    assert raised.value.lane is None
