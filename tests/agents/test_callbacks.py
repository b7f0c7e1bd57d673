"""PPO is validated before, after and in between, and its best policy is kept as it was."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from rlattn.agents import Meter, PPOSettings, Validation, Validator, learn, make_ppo
from rlattn.envs import AttentionVecEnv
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.agents.validations import PAIRS, Script
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE, TARGET

LANES = 6
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=1, width=16)
ROLLOUT = LANES * SMALL.rollout


def run(host: Seq2SeqHost, script: Script, rollouts: int, every: int = 1) -> Validator:
    """Learns, and validates as the script has it."""
    validator = Validator(PAIRS, Meter(host), native_bleu=100.0, translate=script)
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=LANES)), SMALL)
    learn(ppo, rollouts * ROLLOUT, [Validation(validator, every=every)], progress=False)
    return validator


def test_it_validates_before_and_after_and_in_between(host: Seq2SeqHost) -> None:
    validator = run(host, Script((2, 0.5), (4, 0.5), (3, 0.5)), 2)
    assert [point.env_steps for point in validator.curve] == [0, ROLLOUT, 2 * ROLLOUT]


def test_the_best_policy_is_kept_as_it_was(host: Seq2SeqHost) -> None:
    script = Script((2, 0.5), (8, 0.5), (3, 0.5))
    validator = run(host, script, 2)
    assert script.policies.index(validator.policy) == 1
    weights = [torch.cat([w.flatten() for w in p.policy.parameters()]) for p in script.policies]
    assert not torch.equal(weights[1], weights[2])
    assert validator.policy.host_fingerprint == host.fingerprint


def test_validations_are_as_far_apart_as_was_asked(host: Seq2SeqHost) -> None:
    validator = run(host, Script(*[(1, 0.5)] * 9), 5, every=2 * ROLLOUT)
    assert [point.env_steps // ROLLOUT for point in validator.curve] == [0, 2, 4, 5]


def test_what_the_rollouts_cost_is_told(host: Seq2SeqHost) -> None:
    validator = run(host, Script(*[(1, 0.5)] * 3), 2)
    first, *later = (point.spent for point in validator.curve)
    assert [
        spent.forwards - first.forwards >= point.env_steps
        for spent, point in zip(later, validator.curve[1:], strict=True)
    ] == [True, True]
    assert later[-1].backwards == 0


def test_it_translates_for_real_while_the_environment_waits(host: Seq2SeqHost) -> None:
    write = partial(translate, host, max_source=SOURCE, max_target=TARGET)
    validator = Validator(PAIRS, Meter(host), native_bleu=50.0, translate=write)
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=LANES, prefix="free")), SMALL)
    learn(ppo, ROLLOUT, [Validation(validator, every=1)], progress=False)
    assert all(0 < point.reads_fraction <= 1 for point in validator.curve)
    again = write([pair.source for pair in PAIRS], validator.policy)
    assert validator.best is not None
    expected = sum(again.reads_fraction) / len(PAIRS)
    assert validator.best.reads_fraction == pytest.approx(expected, abs=1e-5)
