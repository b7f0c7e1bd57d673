"""PPO as it comes trains the policy, with the callbacks and logs that it comes with."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback

import rlattn
from rlattn.agents import PPOSettings, learn, make_ppo, trained_policy
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import make
from tests.envs.texts import make as make_reader
from tests.hosts.classifier.small import small_classifier
from tests.hosts.tiny import generate, sentences, tiny_host

EVERY_ACTION = pytest.mark.parametrize(
    "action", ["gate", "bias", "gate:sentence:5,9,13", "mix", "sharpness", "per-layer:topk:2"]
)
LANES = 6
SMALL = PPOSettings(rollout=8, batch_size=24, epochs=2, width=16)
ROLLOUT = LANES * SMALL.rollout


def env_of(host: Seq2SeqHost, **changes: Any) -> AttentionVecEnv:
    return AttentionVecEnv(make(host, lanes=LANES, **changes))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "progress.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@EVERY_ACTION
def test_learning_is_logged(host: Seq2SeqHost, action: str, tmp_path: Path) -> None:
    env = env_of(host, action=action, prefix="free", reads_target=0.3)
    ppo = make_ppo(env, SMALL)
    learn(ppo, 3 * ROLLOUT, log_folder=tmp_path, progress=False)
    assert ppo.num_timesteps == 3 * ROLLOUT
    last = rows(tmp_path)[-1]
    for name in ("ep_rew_mean", "ep_len_mean", "reads_fraction", "reward_fidelity", "reward_reads"):
        assert torch.tensor(float(last[f"rollout/{name}"])).isfinite()
    assert float(last["rollout/weight_fidelity"]) == 1.0
    assert float(last["rollout/weight_reads"]) == pytest.approx(env.core.reward.weights["reads"])
    assert float(last["rollout/truncated_sentences"]) == 0
    assert torch.tensor(float(last["train/loss"])).isfinite()
    assert list(tmp_path.glob("events.out.tfevents*"))


@EVERY_ACTION
@pytest.mark.filterwarnings("error::UserWarning")
def test_callbacks_of_stable_baselines_work(host: Seq2SeqHost, action: str, tmp_path: Path) -> None:
    ppo = make_ppo(env_of(host, action=action), SMALL)
    evaluation = EvalCallback(
        env_of(host, action=action),
        n_eval_episodes=5,
        eval_freq=SMALL.rollout,
        best_model_save_path=str(tmp_path),
        log_path=str(tmp_path),
        verbose=0,
    )
    checkpoint = CheckpointCallback(save_freq=SMALL.rollout, save_path=str(tmp_path / "kept"))
    learn(ppo, 2 * ROLLOUT, [evaluation, checkpoint], progress=False)
    assert evaluation.evaluations_timesteps == [ROLLOUT, 2 * ROLLOUT]
    assert (tmp_path / "best_model.zip").is_file()
    assert len(list((tmp_path / "kept").iterdir())) == 2


@pytest.mark.filterwarnings("ignore:rich is experimental")
def test_the_progress_bar_works(host: Seq2SeqHost) -> None:
    learn(make_ppo(env_of(host), SMALL), ROLLOUT, [], progress=True)


def test_learning_changes_the_policy_and_never_the_host() -> None:
    host = tiny_host()
    ppo, before = make_ppo(env_of(host), SMALL), host.fingerprint
    first = trained_policy(ppo)
    learn(ppo, ROLLOUT, progress=False)
    second = trained_policy(ppo)
    changed = [
        not torch.equal(a, b)
        for a, b in zip(first.policy.parameters(), second.policy.parameters(), strict=True)
    ]
    assert all(changed)
    assert host.fingerprint == before
    assert all(weight.grad is None for weight in host.model.parameters())


def test_a_policy_that_was_taken_out_stays_as_it_is(host: Seq2SeqHost) -> None:
    ppo = make_ppo(env_of(host), SMALL)
    policy = trained_policy(ppo)
    kept = [weight.clone() for weight in policy.policy.parameters()]
    learn(ppo, ROLLOUT, progress=False)
    assert all(map(torch.equal, policy.policy.parameters(), kept))
    with policy.steer(host.model):
        generate(host, sentences(3))
    assert all(weight.requires_grad for weight in ppo.policy.attention.parameters())


def weights_after(host: Seq2SeqHost, seed: int) -> torch.Tensor:
    ppo = make_ppo(env_of(host), SMALL, seed=seed)
    learn(ppo, ROLLOUT, progress=False)
    return torch.cat([weight.detach().flatten() for weight in ppo.policy.parameters()])


def test_a_seed_fixes_what_is_learned(host: Seq2SeqHost) -> None:
    assert torch.allclose(weights_after(host, 1), weights_after(host, 1), atol=1e-4)
    assert not torch.allclose(weights_after(host, 1), weights_after(host, 2), atol=1e-2)


def test_rollouts_longer_than_the_horizon_are_refused(host: Seq2SeqHost) -> None:
    ppo = make_ppo(env_of(host, horizon=4), PPOSettings(rollout=400, batch_size=48, width=16))
    with pytest.raises(LookupError, match="`horizon` at least as long as the rollouts"):
        learn(ppo, 1, progress=False)


def test_rollouts_as_long_as_the_horizon_are_not(host: Seq2SeqHost) -> None:
    ppo = make_ppo(env_of(host, horizon=20), PPOSettings(rollout=20, batch_size=40, width=16))
    learn(ppo, 3 * LANES * 20, progress=False)


@pytest.mark.parametrize(
    ("changes", "gamma"),
    [
        ({"prefix": "host"}, 0.0),
        ({"prefix": "reference", "reward": {"likelihood": 1.0}}, 0.0),
        ({"prefix": "free"}, 0.98),
        ({"prefix": "host", "reward": {"chrf": 1.0}}, 0.98),
    ],
)
def test_the_discount_suits_what_is_rewarded(
    host: Seq2SeqHost, changes: dict[str, Any], gamma: float
) -> None:
    assert make_ppo(env_of(host, **changes)).gamma == gamma
    assert make_ppo(env_of(host, **changes), PPOSettings(gamma=0.3)).gamma == 0.3


def test_the_learning_rate_falls_to_a_tenth(host: Seq2SeqHost) -> None:
    schedule = make_ppo(env_of(host), PPOSettings(learning_rate=0.5)).lr_schedule
    assert [schedule(left) for left in (1.0, 0.5, 0.0)] == pytest.approx([0.5, 0.275, 0.05])


def test_what_was_settled_for_the_host_is_saved_with_the_policy(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    ppo = make_ppo(env_of(host, action="per-layer:gate"), SMALL)
    ppo.learn(ROLLOUT)
    trained_policy(ppo).save(tmp_path)
    policy = rlattn.load(tmp_path)
    assert policy.policy.config.action == policy.policy.family.spec == "per-layer:2:gate"
    with policy.steer(host.model) as trace:
        generate(host, sentences(3))
    assert (trace.reads_fraction > 0).all()


@pytest.mark.parametrize(("target", "first"), [(0.2, 0.2), (None, 0.5)])
def test_gates_of_a_classifier_begin_with_what_they_may_read(
    target: float | None, first: float
) -> None:
    core = make_reader(small_classifier(), reads_target=target, steps=2, stop=False)
    attention = make_ppo(AttentionVecEnv(core), SMALL).policy.attention
    mask = torch.ones(1, 10_000, dtype=torch.bool)
    gates = attention.family.distribution(attention.score.bias.expand(1, 10_000, 1), mask)
    twice = torch.maximum(gates.sample(), gates.sample())
    assert twice.mean().item() == pytest.approx(first, abs=0.02)


def test_ppo_wants_lanes(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match=r"got a TranslationCore: give it rlattn\.make_sb3"):
        make_ppo(make(host))
