"""Each broken rule of a reward is found and said; what keeps all rules passes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.errors import ContractError, InputError
from rlattn.rewards import REWARDS, Reward, SentenceReward, Step
from rlattn.testing import check_reward


@pytest.mark.parametrize("name", [*sorted(REWARDS), "spread:chrf", "spread:ter", "final:gain"])
def test_every_term_that_ships_keeps_the_rules(name: str) -> None:
    check_reward(name)


def test_shuffled_terms_mix_lanes_and_keep_all_other_rules() -> None:
    check_reward("shuffled:chrf", lanes_apart=False)
    with pytest.raises(ContractError, match="a lane alone earns something else"):
        check_reward("shuffled:reads")


class Broken(Reward):
    """What breaks each rule, in one place."""

    name = "broken"
    kept: Tensor | None = None

    def __init__(self, how: str) -> None:
        self._how, self._count = how, 0
        self._hidden: list[float] = []

    def state_dict(self) -> dict[str, object]:
        return {"words": {"a"}} if self._how == "state" else super().state_dict()

    def __call__(self, step: Step) -> Tensor:
        self._count += 1
        match self._how:
            case "one number":
                return step.reads_fraction.mean()
            case "list":
                return step.reads_fraction.tolist()  # type: ignore[return-value]
            case "nan":
                return (step.reads_fraction - 1).log()
            case "wrong shape":
                return step.reads_fraction[:, None]
            case "integers":
                return step.age
            case "unasked":
                return step.native_log_prob(step.token)
            case "of the batch":
                return step.reads_fraction - step.reads_fraction.mean()
            case "padding":
                return step.opened.float().mean(-1)
            case "chance":
                return torch.rand(len(step.token))
            case "in place":
                return step.coverage.mul_(2).sum(-1)
            case "hidden":
                self._hidden.append(float(len(self._hidden)))
                return step.reads_fraction + self._hidden[-1]
            case "state":
                return step.reads_fraction
            case "kept":
                kept = torch.zeros(len(step.token)) if self.kept is None else self.kept
                self.kept = kept + step.age
                return self.kept
        raise AssertionError(self._how)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("one number", r"shape \[\]: expected a .* tensor \[4\], one number for each lane"),
        ("list", "gave a list"),
        ("nan", "gave .*(nan|inf).*: expected finite numbers"),
        ("wrong shape", r"shape \[4, 1\]"),
        ("integers", r"torch.int64.*use .float\(\)"),
        ("unasked", r"'broken' reads step.native_logits and did not ask"),
        ("of the batch", "do not take means, ranks or sums over the lanes"),
        ("padding", "padding of the source counts: look at step.mask"),
        ("chance", "seed the same way, it gives other numbers"),
        ("hidden", "goes on from its state_dict gives other numbers: what it remembers belongs"),
        ("state", "state_dict of the reward 'broken' cannot be kept: /words is a set"),
        ("in place", "changed step.coverage: work on a copy"),
    ],
)
def test_each_broken_rule_is_said(how: str, message: str) -> None:
    with pytest.raises(ContractError, match=f"{message}"):
        check_reward(Broken(how))


def test_a_term_may_remember() -> None:
    check_reward(Broken("kept"))


def test_a_check_leaves_the_term_as_it_was() -> None:
    term = Broken("kept")
    check_reward(term)
    assert term._count == 0


def test_only_terms_are_checked() -> None:
    with pytest.raises(InputError, match="is no reward: register it, and give its name"):
        check_reward(lambda step: step.reads_fraction)  # type: ignore[arg-type]


def test_scores_of_empty_sentences_are_tried() -> None:
    class Divided(SentenceReward):
        name = "divided"

        def score(self, sources: object, hypotheses: list[str], references: object) -> list[float]:
            return [1 / len(hypothesis) for hypothesis in hypotheses]

    with pytest.raises(ZeroDivisionError):
        check_reward(Divided())


def test_an_unknown_name_is_no_broken_rule() -> None:
    with pytest.raises(InputError, match="unknown reward 'luck'"):
        check_reward("luck")
