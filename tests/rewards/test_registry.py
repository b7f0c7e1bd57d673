"""A term of one's own is a class with one method or a plain function, known by its name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from rlattn.errors import ContractError, InputError
from rlattn.rewards import (
    REWARDS,
    Reward,
    SentenceReward,
    Step,
    TotalReward,
    register_reward,
    register_scorer,
)
from tests.rewards.steps import last, step

pytestmark = pytest.mark.usefixtures("_registered_only_here")


def test_a_class_for_each_step() -> None:
    @register_reward
    class Confidence(Reward):
        """The log-probability of the token that was chosen."""

        name = "confidence"

        def __call__(self, step: Step) -> Tensor:
            return step.log_probs.gather(1, step.token[:, None])[:, 0]

    total, _ = TotalReward({"confidence": 2.0, "reads": -1.0})(step())
    assert torch.allclose(total, 2 * torch.tensor([0.5, 0.4]).log() - 0.5)
    assert TotalReward({"confidence": 1.0}).needs == set()


def test_a_function_for_each_step() -> None:
    @register_reward
    def brevity(step: Step) -> Tensor:
        return -torch.ones_like(step.reads_fraction)

    assert TotalReward({"brevity": 0.5})(step())[0].tolist() == [-0.5, -0.5]
    assert brevity(step()).tolist() == [-1.0, -1.0], "it is still a function"


def test_a_function_says_what_it_needs() -> None:
    @register_reward(needs={"native"})
    def surprise(step: Step) -> Tensor:
        return -step.native_log_prob(step.token)

    assert TotalReward({"surprise": 1.0}).needs == {"native"}
    assert TotalReward({"shuffled:surprise": 1.0}).needs == {"native"}
    expected = -torch.tensor([0.25, 0.4]).log()
    assert torch.allclose(TotalReward({"surprise": 1.0})(step())[0], expected)


def test_a_function_says_whether_it_is_owed_to_its_step_alone() -> None:
    @register_reward
    def alone(step: Step) -> Tensor:
        return step.reads_fraction

    @register_reward(immediate=False)
    def spread_out(step: Step) -> Tensor:
        return step.coverage.amax(-1)

    assert TotalReward({"alone": 1.0}).immediate
    assert not TotalReward({"alone": 1.0, "spread_out": 1.0}).immediate


def test_a_class_for_whole_sentences() -> None:
    @register_reward
    class Spared(SentenceReward):
        """One for each word that was spared."""

        name = "spared"

        def score(
            self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
        ) -> Sequence[float]:
            pairs = zip(hypotheses, references, strict=True)
            return [len(reference.split()) - len(ours.split()) for ours, reference in pairs]

    total = TotalReward({"spared": 0.5})
    assert total(last(("a b", "a b c"), ("", "")))[0].tolist() == [0.5, 0.0]
    assert total(step())[0].tolist() == [0.0, 0.0]


def test_any_batched_text_function_is_a_score() -> None:
    calls = []

    @register_scorer
    def metric(
        sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Tensor:
        calls.append((sources, hypotheses, references))
        return torch.arange(len(sources), dtype=torch.float64)  # as a network would give them

    ended = last(("a", "b"), ("c", "d"))
    assert TotalReward({"metric": 2.0})(ended)[0].tolist() == [0.0, 2.0]
    assert calls == [(["source 0", "source 1"], ["a", "c"], ["b", "d"])], "once for all"
    assert TotalReward({"metric": 1.0})(step())[0].tolist() == [0.0, 0.0]
    assert len(calls) == 1, "where no sentence ends it is not called"
    assert TotalReward({"spread:metric": 1.0})(ended)[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (0.5, r"shape \[\] for 2 sentences: expected one for each, \[2\]"),
        ([0.5], r"shape \[1\] for 2 sentences"),
        ([[0.5], [0.5]], r"shape \[2, 1\]"),
        (["good", "bad"], "list, which does not hold numbers"),
        (None, "NoneType, which does not hold numbers"),
    ],
)
def test_a_score_that_gives_no_number_for_each_sentence_is_refused(
    given: object, message: str
) -> None:
    @register_scorer
    def mistaken(sources: object, hypotheses: object, references: object) -> Sequence[float]:
        return given  # type: ignore[return-value]

    with pytest.raises(ContractError, match=f"the score 'mistaken' gave .*{message}"):
        TotalReward({"mistaken": 1.0})(last(("a", "b"), ("c", "d")))


def test_a_name_belongs_to_one_term() -> None:
    class Impostor(Reward):
        name = "fidelity"

        def __call__(self, step: Step) -> Tensor:
            return step.reads_fraction

    with pytest.raises(InputError, match="'fidelity' is already registered"):
        register_reward(Impostor)
    assert register_reward(REWARDS["fidelity"]) is REWARDS["fidelity"]


def test_what_is_defined_again_takes_its_own_place() -> None:
    for number in (1.0, 2.0):

        @register_reward
        def again(step: Step, number: float = number) -> Tensor:
            return torch.full_like(step.reads_fraction, number)

    assert TotalReward({"again": 1.0})(step())[0].tolist() == [2.0, 2.0]


def test_names_leave_room_for_wrappers_and_weights() -> None:
    for bad in ("spread", "a:b", "a=b", "", "two words"):

        class Badly(Reward):
            name = bad

            def __call__(self, step: Step) -> Tensor:
                return step.reads_fraction

        with pytest.raises(InputError, match="reward"):
            register_reward(Badly)


def test_needs_are_checked_by_name() -> None:
    for needs in ({"natve"}, "native"):
        with pytest.raises(InputError, match=r"'needy' needs .*: expected a set of native, "):

            @register_reward(needs=needs)
            def needy(step: Step) -> Tensor:
                return step.reads_fraction


def test_functions_take_what_they_are_given() -> None:
    with pytest.raises(InputError, match=r"two cannot be registered: .* of \(step\)"):

        @register_reward
        def two(step: Step, more: int) -> Tensor:
            return step.reads_fraction

    with pytest.raises(InputError, match=r"\(sources, hypotheses, references\)"):

        @register_scorer
        def short(hypotheses: Sequence[str], references: Sequence[str]) -> Sequence[float]:
            return [0.0]


def test_a_term_reads_only_what_it_asked_for_itself() -> None:
    @register_reward
    def sneaky(step: Step) -> Tensor:
        return step.native_log_prob(step.token)

    with pytest.raises(ContractError, match=r"'sneaky' reads step.native_logits and did not"):
        TotalReward({"fidelity": 1.0, "sneaky": 1.0})(step())


@pytest.mark.parametrize(("name", "meant"), [("agrement", "agreement"), ("sprd:chrf", "spread'")])
def test_what_was_probably_meant_is_said(name: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"did you mean '{meant}"):
        TotalReward({name: 1.0})


@pytest.mark.parametrize("weights", [["chrf"], "chrf", None])
def test_weights_stand_by_name(weights: object) -> None:
    with pytest.raises(InputError, match="expected the weight of each term by its name"):
        TotalReward(weights)  # type: ignore[arg-type]


def test_only_rewards_are_registered() -> None:
    with pytest.raises(InputError, match="dict is no reward"):
        register_reward(dict)
