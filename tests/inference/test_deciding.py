"""A policy is asked about targets that go on, and about no others."""

from __future__ import annotations

import pytest
import torch

from rlattn.inference.deciding import Decider
from rlattn.observation import Observation, Observer
from rlattn.policy import AttentionPolicy
from tests.actions.specs import SPECS, tokens_of
from tests.test_policy import MODEL, STATE, policy

LENGTHS = torch.tensor([[9], [4], [7], [1]])
MASK = torch.arange(9) < LENGTHS
LIVE = torch.tensor([True, False, True, True])
SOURCE = tokens_of(MASK)
EVERY_FAMILY = pytest.mark.parametrize("action", SPECS)


class Rig:
    """A decider over random sources, and what it should decide."""

    def __init__(self, network: AttentionPolicy) -> None:
        self.network = network
        self.memory = torch.randn(int(LENGTHS.sum()), MODEL).half()
        self.observer = Observer(4, 9, STATE, torch.device("cpu"))
        self.decider = Decider(network, self.observer, self.memory, MASK, SOURCE)
        self.look()

    def look(self) -> None:
        attention = torch.rand(4, 9).masked_fill(~MASK, 0.0)
        self.observer.record(torch.randn(4, STATE), attention)

    def asked_about_all(self, token: torch.Tensor) -> torch.Tensor:
        seen = self.observer.view(MASK)
        return self.network.act(Observation(self.memory, token=token, source=SOURCE, **seen))


@EVERY_FAMILY
def test_what_goes_on_is_decided_as_if_all_did(action: str) -> None:
    rig = Rig(policy(action))
    first, token = torch.randn(2, 4, STATE)
    before = rig.decider.action(first, torch.ones(4, dtype=torch.bool))
    assert torch.equal(before, rig.asked_about_all(first))
    for live in (LIVE, LIVE.flip(0), LIVE):  # beams move where targets have ended
        rig.look()
        expected = torch.where(live[:, None], rig.asked_about_all(token), before)
        before = rig.decider.action(token, live)
        torch.testing.assert_close(before, expected)


def test_once_everything_has_ended_nothing_changes() -> None:
    rig = Rig(policy("gate"))
    token = torch.randn(4, STATE)
    before = rig.decider.action(token, torch.ones(4, dtype=torch.bool))
    rig.look()
    assert torch.equal(rig.decider.action(token, torch.zeros(4, dtype=torch.bool)), before)


def test_the_network_does_no_work_for_what_has_ended() -> None:
    rig = Rig(policy("gate"))
    rows: list[int] = []
    rig.network.score.register_forward_hook(lambda module, args, out: rows.append(len(out)))
    token = torch.randn(4, STATE)
    rig.decider.action(token, torch.ones(4, dtype=torch.bool))
    rig.decider.action(token, LIVE)
    assert rows == [9 + 4 + 7 + 1, 9 + 7 + 1]
