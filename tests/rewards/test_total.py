"""The total is a weighted sum of terms that stay visible by name."""

from __future__ import annotations

import math

import pytest
import torch

from rlattn.errors import InputError
from rlattn.rewards import REWARDS, Fidelity, Likelihood, Reads, TotalReward
from tests.rewards.steps import step


def test_it_is_the_weighted_sum_of_its_terms() -> None:
    total, values = TotalReward({"reads": -0.5, "fidelity": 2.0, "likelihood": 1.0})(step())
    terms = [Reads()(step()), Fidelity()(step()), Likelihood()(step())]
    assert torch.equal(values, torch.stack(terms, dim=1))
    assert torch.allclose(total, -0.5 * terms[0] + 2.0 * terms[1] + terms[2])


def test_it_needs_what_its_terms_need() -> None:
    assert TotalReward({"reads": -1.0}).needs == set()
    assert TotalReward({"fidelity": 1.0, "bleu": 1.0}).needs == {"native", "text"}
    assert TotalReward({"likelihood": 1.0}).needs == {"native", "reference"}


@pytest.mark.parametrize("name", sorted(REWARDS))
def test_every_known_term_can_be_used(name: str) -> None:
    total = TotalReward({name: 1.0})
    assert list(total.terms) == [name]
    assert total(step())[0].shape == (2,)


def test_unknown_terms_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"unknown reward 'luck': expected one of .*fidelity"):
        TotalReward({"fidelity": 1.0, "luck": 1.0})


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf])
def test_weights_are_finite(weight: float) -> None:
    with pytest.raises(InputError, match=r"reward fidelity=.*finite"):
        TotalReward({"fidelity": weight})


def test_something_must_be_rewarded() -> None:
    with pytest.raises(InputError, match="no reward"):
        TotalReward({})


def test_a_target_sets_the_weight_of_the_reads() -> None:
    total = TotalReward({"fidelity": 1.0}, reads_target=0.2)
    before = total.weights["reads"]
    assert before < 0
    total.finish(reads=1000 * 0.05, count=1000)
    assert before < total.weights["reads"] <= 0
    assert total.weights["fidelity"] == 1.0
    reward, values = total(step())
    assert torch.allclose(reward, values @ torch.tensor([1.0, total.weights["reads"]]))


def test_a_target_starts_from_the_weight_that_is_given() -> None:
    assert TotalReward({"reads": -2.0}, reads_target=0.2).weights == {"reads": -2.0}


def test_without_a_target_the_weights_stay() -> None:
    total = TotalReward({"fidelity": 1.0, "reads": -0.5})
    total.finish(reads=1000.0, count=1000)
    assert total.weights == {"fidelity": 1.0, "reads": -0.5}


@pytest.mark.parametrize("target", [0.0, -0.2, 1.5, math.nan])
def test_a_target_is_a_fraction(target: float) -> None:
    with pytest.raises(InputError, match=r"reads target.*\(0, 1\]"):
        TotalReward({"fidelity": 1.0}, target)
