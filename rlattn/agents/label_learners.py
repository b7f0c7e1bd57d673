"""PPO that learns to read for a classifier, as other learners are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlattn.agents.best import KeepsBest
from rlattn.agents.learners import family_for, learn_in
from rlattn.agents.training import PPOSettings
from rlattn.corpora import Pair
from rlattn.envs import ClassificationCore
from rlattn.hosts.classifier import ClassifierHost
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading
from rlattn.rewards import TotalReward, WeightSpec


def learn_label_ppo(
    host: ClassifierHost[Any],
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: PPOSettings,
    *,
    reward: Mapping[str, WeightSpec],
    reading: Reading,
    reads_target: float | None = None,
    start: AttentionPolicy | None = None,
    steps: int,
    validator: KeepsBest[Any],
    every: int,
    lanes: int,
    max_source: int,
    seed: int,
    progress: bool = True,
) -> None:
    """Trains a policy in place by PPO (Schulman et al., 2017), in lanes that read texts.

    Args:
        host: The frozen classifier.
        pairs: Texts and labels to learn from.
        policy: Begins as it is, the value network included; its width counts, not the settings'.
        settings: Those of PPO.
        reward: The weight of each reward term, by its name.
        reading: How texts are read.
        reads_target: Adapt the weight of the reads until this fraction of a text is read.
        start: A policy of the same build to begin with instead, as `begin_with` does.
        steps: Environment steps, all lanes together; the last rollout is a whole one.
        validator: Is asked before the first step, now and then, and at the end.
        every: Environment steps between two validations, at the end of a rollout.
        lanes: How many texts advance together.
        max_source: The longest text in tokens; longer ones are cut.
        seed: Seeds all that is random from here on, in torch, NumPy and Python, too.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If something is out of range, the host does not know a label, the policy is not
            for this host, or `start` is of another build.
    """
    core = ClassificationCore(
        host,
        pairs,
        family=family_for(host, policy),
        reward=TotalReward(reward, reads_target),
        lanes=lanes,
        max_source=max_source,
        steps=reading.steps,
        stop=reading.stop,
        horizon=max(256, settings.rollout),
        seed=seed,
    )
    learn_in(
        core,
        policy,
        settings,
        start=start,
        steps=steps,
        validator=validator,
        every=every,
        seed=seed,
        progress=progress,
    )
