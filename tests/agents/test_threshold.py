"""Gates are shifted until they read what they may."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.agents.threshold import shift_gates
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, Translations, translate
from tests.hosts.tiny import pairs
from tests.inference.policies import strong

SOURCES = [pair.source for pair in pairs(12, seed=5)]


def reads(host: Seq2SeqHost, policy: TrainedPolicy) -> float:
    return float(np.mean(translate(host, SOURCES, policy).reads_fraction))


@pytest.mark.parametrize("target", [0.3, 0.5, 0.8])
def test_the_reads_come_close_to_the_target_from_below(host: Seq2SeqHost, target: float) -> None:
    policy = strong(host, action="gate")
    found = shift_gates(policy, lambda tried: translate(host, SOURCES, tried), target)
    assert target - 0.05 <= found.reads <= target
    assert reads(host, found.policy) == pytest.approx(found.reads)


def test_the_policy_itself_stays_as_it_is(host: Seq2SeqHost) -> None:
    policy = strong(host, action="gate")
    before = reads(host, policy)
    found = shift_gates(policy, lambda tried: translate(host, SOURCES, tried), before / 2)
    assert found.shift < 0
    assert reads(host, policy) == before


def test_what_keeps_closely_to_the_target_is_left_alone(host: Seq2SeqHost) -> None:
    policy = strong(host, action="gate")
    asked: list[TrainedPolicy] = []

    def once(tried: TrainedPolicy) -> Translations:
        asked.append(tried)
        return translate(host, SOURCES, tried)

    found = shift_gates(policy, once, reads(host, policy) + 0.001)
    assert (found.shift, len(asked)) == (0.0, 1)


def test_where_gates_cannot_read_so_little_the_least_is_kept(host: Seq2SeqHost) -> None:
    policy = strong(host, action="gate")
    found = shift_gates(policy, lambda tried: translate(host, SOURCES, tried), 0.001)
    # One position stays open, however far all are shifted.
    assert 0.001 < found.reads <= reads(host, policy)


def test_other_actions_have_no_threshold(host: Seq2SeqHost) -> None:
    policy = strong(host, action="bias")
    with pytest.raises(InputError, match="only gates have a threshold"):
        shift_gates(policy, lambda tried: translate(host, SOURCES, tried), 0.3)
