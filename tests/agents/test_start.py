"""Gates begin with as much as may be read in an episode."""

from __future__ import annotations

import pytest
import torch

from rlattn.agents.start import begin_at
from rlattn.policy import AttentionPolicy, PolicyConfig


def network(action: str = "gate") -> AttentionPolicy:
    policy = AttentionPolicy(PolicyConfig(action, d_model=8, d_state=8))
    torch.nn.init.zeros_(policy.score.weight)  # what it sees does not count yet
    return policy


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("reads", [0.1, 0.3, 0.7])
def test_drawn_gates_read_what_they_may_in_an_episode(reads: float, steps: int) -> None:
    policy = network()
    begin_at(policy, reads, steps)
    mask = torch.ones(500, 400, dtype=torch.bool)
    log_odds = policy.score(torch.randn(500, 400, 64))
    gates = policy.family.distribution(log_odds, mask)
    opened = torch.zeros_like(mask)
    for _ in range(steps):
        opened |= gates.sample() > 0.5
    assert opened.float().mean().item() == pytest.approx(reads, abs=0.02)


def test_what_may_be_read_whole_begins_as_ever() -> None:
    policy = network()
    begin_at(policy, 1.0, 4)
    assert policy.score.bias.item() == 2.0


def test_other_actions_stay_as_they_are() -> None:
    policy = network("window")
    before = policy.score.bias.clone()
    begin_at(policy, 0.3, 4)
    assert torch.equal(policy.score.bias, before)
