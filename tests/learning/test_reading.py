"""PPO finds the one word that tells a text's label, and reads little else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rlattn.actions import make_family
from rlattn.agents import PPOSettings, make_ppo, trained_policy
from rlattn.envs import AttentionVecEnv, ClassificationCore
from rlattn.hosts.classifier import ClassifierHost, builtin_classifier, load_classifier
from rlattn.rewards import TotalReward
from tests.hosts.classifier.labelled import CORPUS, TINY

LANES = 64
SETTINGS = PPOSettings(rollout=8, batch_size=256, learning_rate=4e-3)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> ClassifierHost:
    """A classifier that has learned in a second which words tell the label."""
    config = replace(TINY, max_steps=150, shut=0.9)
    cache: Path = tmp_path_factory.mktemp("cache")
    return load_classifier(builtin_classifier(CORPUS, config, cache, progress=False))


def core(host: ClassifierHost, split: str, reward: dict[str, float]) -> ClassificationCore:
    return ClassificationCore(
        host,
        getattr(CORPUS, split),
        family=make_family("gate"),
        reward=TotalReward(reward),
        lanes=LANES,
        max_source=12,
        steps=3,
    )


@pytest.mark.parametrize(
    "reward",
    [
        {"gain": 1.0, "reads": -1.0, "final:accuracy": 0.0},
        {"final:accuracy": 1.0, "reads": -1.0},
        {"brier": 1.0, "reads": -1.0, "final:accuracy": 0.0},
    ],
    ids=["gain", "accuracy", "brier"],
)
def test_a_gate_opens_the_word_that_tells_and_stops(
    host: ClassifierHost, reward: dict[str, float]
) -> None:
    ppo = make_ppo(AttentionVecEnv(core(host, "train", reward)), SETTINGS, seed=0)

    def greedy() -> tuple[float, float, float]:
        """Shares of texts of which one token is read, and that are labelled rightly; and reads."""
        env = AttentionVecEnv(core(host, "test", reward))
        seen, single, right, reads = env.reset(), [], [], []
        for _ in range(4):
            lengths = seen["mask"].sum(-1)
            action, _ = ppo.predict(seen, deterministic=True)
            seen, _, done, infos = env.step(action)
            for lane in np.flatnonzero(done):
                reads.append(infos[lane]["reads_fraction"])
                single.append(reads[-1] * lengths[lane] < 1.5)
                right.append(infos[lane]["reward_final:accuracy"])
        return float(np.mean(single)), float(np.mean(right)), float(np.mean(reads))

    assert greedy()[1] < 0.8, "at first it looks anywhere"
    ppo.learn(12_000)
    single, right, reads = greedy()
    assert reads < 0.25
    assert single > 0.95, "one token of each text is read"
    assert right > 0.95, "so it is the one that tells"


def test_a_policy_knows_the_classifier_it_was_trained_on(host: ClassifierHost) -> None:
    ppo = make_ppo(AttentionVecEnv(core(host, "train", {"gain": 1.0})), SETTINGS, seed=0)
    policy = trained_policy(ppo)
    assert policy.host_name == host.name
    assert policy.host_fingerprint == host.fingerprint
