"""What counts at the end alone is the other term's number there."""

from __future__ import annotations

import pytest
import torch

from rlattn.errors import InputError
from rlattn.rewards import make_reward
from tests.rewards.steps import step


def test_it_is_the_other_term_where_an_episode_ends() -> None:
    term, other = make_reward("final:log_likelihood"), make_reward("log_likelihood")
    ends = step(done=torch.tensor([False, True]))
    assert term(ends).tolist() == [0.0, other(ends)[1].item()]
    assert term(step()).tolist() == [0.0, 0.0]


def test_the_other_term_sees_every_step() -> None:
    """What is gained with the last step is less than what is gained in all."""
    term, other = make_reward("final:gain"), make_reward("gain")
    label = torch.tensor([0, 3])
    for age, done in ((1, False), (2, True)):
        now = step(
            label=label,
            logits=torch.randn(2, 4),
            age=torch.tensor([age, age]),
            done=torch.tensor([done, done]),
        )
        told, whole = term(now), other(now)
    assert torch.equal(told, whole)


def test_scores_of_sentences_are_final_already() -> None:
    with pytest.raises(InputError, match="given at the end already"):
        make_reward("final:chrf")


def test_it_asks_for_what_the_other_term_asks_for() -> None:
    assert make_reward("final:accuracy").needs == make_reward("accuracy").needs
    assert not make_reward("final:accuracy").immediate
