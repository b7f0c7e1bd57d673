"""Work without an end, on inputs that keep changing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rlattn.actions import make_family
from rlattn.corpora import Pair
from rlattn.envs import AttentionVecEnv, TranslationCore
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, translate
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.rewards import TotalReward


def stepping(host: Seq2SeqHost, pairs: Sequence[Pair], lanes: int, seed: int) -> Iterator[int]:
    """Steps of the environment under random gates, with rewards of every kind of need.

    Args:
        host: The frozen translator.
        pairs: The sentences, which come in an order that never ends.
        lanes: How many advance together.
        seed: Fixes the gates and the order.

    Yields:
        How many lanes made a step.
    """
    core = TranslationCore(
        host,
        pairs,
        family=make_family("gate"),
        reward=TotalReward({"fidelity": 1.0, "chrf": 1.0, "reads": -0.5}),
        lanes=lanes,
        seed=seed,
    )
    env = AttentionVecEnv(core)
    env.reset()
    rng = np.random.default_rng(seed)
    shape = (lanes, core.max_source)
    while True:
        # From a few gates open to most of them: what is read changes, too.
        env.step((rng.random(shape) < rng.uniform(0.05, 0.95)).astype(np.float32))
        yield lanes


def generating(host: Seq2SeqHost, pairs: Sequence[Pair], batch: int, seed: int) -> Iterator[int]:
    """Sentences that are translated by ``generate()`` under a policy, greedily or with beams.

    Args:
        host: The frozen translator.
        pairs: Where sentences are drawn from.
        batch: How many go together at most.
        seed: Fixes the policy, and which sentences go together.

    Yields:
        How many sentences were translated.
    """
    network = AttentionPolicy(PolicyConfig("gate", host.d_model, host.d_state))
    policy = TrainedPolicy(network, host.name, host.fingerprint)
    rng = np.random.default_rng(seed)
    while True:
        count = int(rng.integers(1, batch + 1))
        rows = rng.integers(len(pairs), size=count)
        sentences = [pairs[int(row)].source for row in rows]
        translate(host, sentences, policy, batch=batch, beams=1 + 3 * int(rng.random() < 0.1))
        yield count
