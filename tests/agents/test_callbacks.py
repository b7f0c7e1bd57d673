"""The checkpoint that is kept is the best on validation, by quality and reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import torch

from rlattn.agents import PPOSettings, Validation, learn, make_ppo
from rlattn.envs import TranslationVecEnv
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, Translations, translate
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE, TARGET, pairs

LANES = 6
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=1, width=16)
ROLLOUT = LANES * SMALL.rollout
PAIRS = pairs(8, seed=3)


class Script:
    """Stands in for translating: gives what was written before, and remembers who asked.

    Args:
        turns: Of each validation, how many sentences are right, and the reads.
    """

    def __init__(self, *turns: tuple[int, float]) -> None:
        self.turns, self.policies = list(turns), []

    def __call__(self, texts: Sequence[str], policy: TrainedPolicy) -> Translations:
        right, reads = self.turns[len(self.policies)]
        self.policies.append(policy)
        output = [pair.target if i < right else "nonsense" for i, pair in enumerate(PAIRS)]
        return Translations(output, [reads] * len(PAIRS), 0)


def run(host: Seq2SeqHost, script: Script, **settings: Any) -> Validation:
    """Learns for as long as the script has turns, with one validation per rollout."""
    validation = Validation(PAIRS, native_bleu=100.0, translate=script, every=1, **settings)
    ppo = make_ppo(TranslationVecEnv(make(host, lanes=LANES)), SMALL)
    learn(ppo, (len(script.turns) - 1) * ROLLOUT, [validation], progress=False)
    return validation


def kept(validation: Validation, script: Script) -> int:
    """Which turn's policy was kept."""
    return script.policies.index(validation.policy)


def test_it_validates_before_and_after_and_in_between(host: Seq2SeqHost) -> None:
    script = Script((2, 0.5), (4, 0.5), (3, 0.5))
    validation = run(host, script)
    assert [point.env_steps for point in validation.curve] == [0, ROLLOUT, 2 * ROLLOUT]
    assert [point.reads_fraction for point in validation.curve] == [0.5] * 3
    first, second, third = (point.bleu for point in validation.curve)
    assert first < third < second
    assert validation.best == validation.curve[1]


def test_the_best_policy_is_kept_as_it_was(host: Seq2SeqHost) -> None:
    script = Script((2, 0.5), (8, 0.5), (3, 0.5))
    validation = run(host, script)
    assert kept(validation, script) == 1
    weights = [torch.cat([w.flatten() for w in p.policy.parameters()]) for p in script.policies]
    assert not torch.equal(weights[1], weights[2])
    assert validation.policy.host_fingerprint == host.fingerprint


def test_without_a_target_quality_is_weighed_against_reads(host: Seq2SeqHost) -> None:
    thrifty = Script((8, 0.9), (7, 0.2))
    assert kept(run(host, thrifty, reads_weight=-0.5), thrifty) == 1
    lavish = Script((8, 0.9), (7, 0.2))
    assert kept(run(host, lavish, reads_weight=0.0), lavish) == 0


def test_with_a_target_only_those_that_meet_it_compete(host: Seq2SeqHost) -> None:
    script = Script((8, 0.9), (3, 0.25), (5, 0.24), (4, 0.1))
    assert kept(run(host, script, reads_target=0.25), script) == 2


def test_before_the_target_is_met_the_one_that_reads_least_is_kept(host: Seq2SeqHost) -> None:
    script = Script((8, 0.9), (2, 0.5), (8, 0.6))
    assert kept(run(host, script, reads_target=0.25), script) == 1


def test_validations_are_as_far_apart_as_was_asked(host: Seq2SeqHost) -> None:
    script = Script(*[(1, 0.5)] * 9)
    validation = Validation(PAIRS, native_bleu=50.0, translate=script, every=2 * ROLLOUT)
    ppo = make_ppo(TranslationVecEnv(make(host, lanes=LANES)), SMALL)
    learn(ppo, 5 * ROLLOUT, [validation], progress=False)
    steps = [point.env_steps // ROLLOUT for point in validation.curve]
    assert steps == [0, 2, 4, 5]


def test_it_translates_for_real_while_the_environment_waits(host: Seq2SeqHost) -> None:
    write = partial(translate, host, max_source=SOURCE, max_target=TARGET)
    validation = Validation(PAIRS, native_bleu=50.0, translate=write, every=1)
    ppo = make_ppo(TranslationVecEnv(make(host, lanes=LANES, prefix="free")), SMALL)
    learn(ppo, ROLLOUT, [validation], progress=False)
    assert all(0 < point.reads_fraction <= 1 for point in validation.curve)
    again = write([pair.source for pair in PAIRS], validation.policy)
    assert validation.best is not None
    expected = sum(again.reads_fraction) / len(PAIRS)
    assert validation.best.reads_fraction == pytest.approx(expected, abs=1e-5)


def test_before_the_first_validation_there_is_no_best(host: Seq2SeqHost) -> None:
    with pytest.raises(RuntimeError, match="nothing was validated"):
        _ = Validation(PAIRS, native_bleu=1.0, translate=Script(), every=1).policy
