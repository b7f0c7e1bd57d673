"""The controls tell nothing of what was done, and everything else stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.errors import InputError
from rlattn.rewards import (
    Constant,
    SentenceReward,
    Shuffled,
    TotalReward,
    WeightSpec,
    controlled,
    make_reward,
)
from tests.rewards.steps import last, step, texts


def test_a_constant_rewards_every_sentence_alike() -> None:
    assert Constant()(step()).tolist() == [0.0, 0.0]
    assert Constant()(last(("a", "b"), ("b", "b"))).tolist() == [1.0, 1.0]


def given_and_owed(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What some hundred steps of two lanes are given, and what they are owed, `[steps, lanes]`."""
    shuffled, plain = make_reward("shuffled:agreement"), make_reward("agreement")
    shuffled.seed(seed)
    torch.manual_seed(0)
    steps = [step(logits=torch.randn(2, 4)) for _ in range(400)]
    return np.stack([shuffled(s) for s in steps]), np.stack([plain(s) for s in steps])


def test_shuffled_numbers_are_as_often_and_owed_to_others() -> None:
    given, owed = given_and_owed()
    assert set(given.ravel()) <= set(owed.ravel())
    assert not (given[1:] == owed[1:]).any(), "never one's own"
    assert abs(np.corrcoef(given.ravel(), owed.ravel())[0, 1]) < 0.1
    assert abs(given.mean() - owed.mean()) < 0.05


def test_a_seed_fixes_the_order() -> None:
    first, again, other = (given_and_owed(seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_shuffled_scores_still_come_at_the_end() -> None:
    term = make_reward("shuffled:exact")
    assert isinstance(term, Shuffled)
    assert term.needs == {"text"}
    for _ in range(20):
        assert term(step()).tolist() == [0.0, 0.0]
        one = step(done=torch.tensor([False, True]), finished=texts(("a", "a"), lanes=[1]))
        assert term(one).tolist() == [0.0, 1.0]


def test_a_first_number_has_no_other_to_be_taken_for() -> None:
    class Alone(SentenceReward):
        name = "alone"

        def score(self, sources: object, hypotheses: list[str], references: object) -> list[float]:
            return [float(len(hypothesis)) for hypothesis in hypotheses]

    term = Shuffled(Alone())
    numbers = []
    for length in range(1, 6):
        text = texts(("x" * length, ""), lanes=[0])
        numbers.append(term(step(done=torch.tensor([True, False]), finished=text))[0].item())
    assert numbers[:2] == [1.0, 1.0]
    assert all(number < length for length, number in enumerate(numbers[2:], start=3))


SCHEDULE = {"start": 0.1, "end": 1.0, "steps": 100}
COSTS: dict[str, WeightSpec] = {"reads": {"target": 0.2}, "latency": -0.1, "length": -0.01}


def test_a_shuffled_objective_shuffles_quality_and_keeps_the_costs() -> None:
    weights = {"likelihood": 1.0, "spread:chrf": SCHEDULE, **COSTS}
    expected = {"shuffled:likelihood": 1.0, "shuffled:spread:chrf": SCHEDULE, **COSTS}
    found = controlled(weights, "shuffled")
    assert found == expected
    assert TotalReward(found).needs == TotalReward(weights).needs


def test_a_constant_weighs_what_quality_did() -> None:
    assert controlled({"likelihood": 1.0, "chrf": 0.5, **COSTS}, "constant") == {
        "constant": 1.5,
        **COSTS,
    }
    assert controlled({"chrf": SCHEDULE}, "constant") == {"constant": SCHEDULE}
    assert TotalReward(controlled({"fidelity": 1.0, **COSTS}, "constant")).needs == frozenset()


def test_what_cannot_be_controlled_is_refused() -> None:
    with pytest.raises(InputError, match="unknown control 'random': expected constant or shuffled"):
        controlled({"chrf": 1.0}, "random")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected a term of quality"):
        controlled(COSTS, "shuffled")
    with pytest.raises(InputError, match="takes the place of chrf, bleu"):
        controlled({"chrf": SCHEDULE, "bleu": 1.0}, "constant")
