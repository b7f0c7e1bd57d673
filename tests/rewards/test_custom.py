"""A term of one's own takes ten lines and is known by its name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.rewards import REWARDS, Reward, SentenceReward, Step, TotalReward, register_reward
from tests.rewards.steps import step


@pytest.fixture(autouse=True)
def _unregister() -> Iterator[None]:
    known = dict(REWARDS)
    yield
    REWARDS.clear()
    REWARDS.update(known)


def test_a_term_for_each_step() -> None:
    @register_reward
    class Confidence(Reward):
        """The log-probability of the token that was chosen."""

        name = "confidence"

        def __call__(self, step: Step) -> Tensor:
            return step.log_probs.gather(1, step.token[:, None])[:, 0]

    total, _ = TotalReward({"confidence": 2.0, "reads": -1.0})(step())
    assert torch.allclose(total, 2 * torch.tensor([0.5, 0.4]).log() - torch.tensor([0.5, 0.25]))
    assert TotalReward({"confidence": 1.0}).needs == set()


def test_a_term_for_whole_sentences() -> None:
    @register_reward
    class Brevity(SentenceReward):
        """One for each word that was spared."""

        name = "brevity"

        def score(self, hypothesis: str, reference: str) -> float:
            return len(reference.split()) - len(hypothesis.split())

    ended = step(done=np.array([True, False]), hypotheses=["a b"], references=["a b c"])
    assert TotalReward({"brevity": 0.5})(ended)[0].tolist() == [0.5, 0.0]


def test_a_name_belongs_to_one_term() -> None:
    class Impostor(Reward):
        name = "fidelity"

        def __call__(self, step: Step) -> Tensor:
            return step.reads_fraction

    with pytest.raises(ValueError, match="'fidelity' is already registered"):
        register_reward(Impostor)
    assert register_reward(REWARDS["fidelity"]) is REWARDS["fidelity"]
