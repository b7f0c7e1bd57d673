"""A core that goes on from the files of another's state takes the very same steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.envs import AttentionVecEnv, ClassificationCore, Transition, TranslationCore
from rlattn.envs.base import Core
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.rewards import Reward, register_reward
from rlattn.steering import bands
from rlattn.storage.checkpoint import read_checkpoint, write_checkpoint
from tests.envs import cores, texts
from tests.hosts.classifier.small import small_classifier, small_pooled

QUALITY = {"fidelity": 1.0, "reads": {"target": 0.2, "sentences": 2}}
TRANSLATION: dict[str, dict[str, Any]] = {
    "native outputs along the host's": {"reward": QUALITY},
    "the reference, a shuffled reward and a schedule": {
        "prefix": "reference",
        "reward": {
            "shuffled:likelihood": {"start": 0.0, "end": 1.0, "steps": 50},
            "fidelity": 1.0,
            "final:reads": -0.1,
        },
    },
    "a second decoder, and terms that remember": {
        "prefix": "free",
        "reward": {"fidelity": 1.0, "shuffled:spread:chrf": 1.0, "latency": -1.0, "coverage": 1.0},
    },
    "layers that decide for themselves": {"action": "per-layer:bias", "prefix": "free"},
    "actions that see tokens": {"action": "gate:sentence:5,9", "reads_target": 0.3},
    "bands": {"lanes": 7},
    "an epoch of few sentences": {"split": cores.pairs(3), "lanes": 2},
}
CLASSIFICATION: dict[str, dict[str, Any]] = {
    "native outputs": {"reward": {"fidelity": 1.0, "reads": {"target": 0.2, "sentences": 2}}},
    "terms that remember": {"reward": {"gain": 1.0, "shuffled:brier": 0.5}},
    "softer allocations": {"action": "bias"},
}


def steps(core: Core, count: int, seed: int) -> Iterator[Transition]:
    """Random actions."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        action = torch.from_numpy(
            rng.uniform(-1, 1, (core.lanes, core.family.size(core.max_source)))
        ).float()
        if core.family.name == "gate":
            action = (action > 0).float()
        yield core.step(action)


def flat(transition: Transition) -> list[Any]:
    """All that a step led to."""
    views = [transition.view, transition.final_view or {}]
    return [
        *(tensor for view in views for _, tensor in sorted(view.items())),
        *(transition.reward, transition.terminated, transition.truncated, transition.token),
        transition.opened,
        transition.summaries,
    ]


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return bool(np.array_equal(one, other))


def check_resume(make: Callable[[], Core], folder: Path, before: int) -> None:
    """Takes steps with one core, and goes on with it and with another beside."""
    one, other = make(), make()
    one.reset(3)
    list(steps(one, before, seed=1))
    other.load_state_dict(read_checkpoint(write_checkpoint(folder, 1, one.state_dict())))
    for ours, theirs in zip(steps(other, 40, 2), steps(one, 40, 2), strict=True):
        assert all(map(equal, flat(ours), flat(theirs)))
        assert torch.equal(other.memory(), one.memory())
        assert other.truncated == one.truncated
        assert other.reward.weights == one.reward.weights
        assert [other.pair(lane) for lane in range(other.lanes)] == one._pairs


@pytest.mark.parametrize("before", [0, 1, 30])
@pytest.mark.parametrize("case", TRANSLATION)
def test_translation_goes_on(
    case: str, before: int, host: Seq2SeqHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case == "bands":
        monkeypatch.setattr(bands, "BAND", 2)

    def make() -> TranslationCore:
        return cores.make(host, max_source=6, **TRANSLATION[case])

    check_resume(make, tmp_path, before)


@pytest.mark.parametrize("classifier", [small_classifier, small_pooled])
@pytest.mark.parametrize("case", CLASSIFICATION)
def test_classification_goes_on(case: str, classifier: Callable[[], Any], tmp_path: Path) -> None:
    host = classifier()

    def make() -> ClassificationCore:
        return texts.make(host, **CLASSIFICATION[case])

    check_resume(make, tmp_path, 10)


@pytest.mark.usefixtures("_registered_only_here")
def test_a_reward_of_ones_own_remembers(host: Seq2SeqHost, tmp_path: Path) -> None:
    @register_reward
    class Surprise(Reward):
        """What comes as often as on average is worth nothing."""

        name = "surprise"

        def __init__(self) -> None:
            self.mean, self.steps = 0.0, 0
            self.last: Tensor | None = None

        def __call__(self, step: Any) -> Tensor:
            value = step.log_prob(step.token)
            self.mean, self.steps = 0.9 * self.mean + 0.1 * float(value.mean()), self.steps + 1
            last = value if self.last is None else self.last
            self.last = value
            return value - last - self.mean / self.steps

    check_resume(lambda: cores.make(host, reward={"surprise": 1.0}), tmp_path, 10)


def test_the_observation_is_that_of_the_last_step(host: Seq2SeqHost) -> None:
    env, other = (AttentionVecEnv(cores.make(host)) for _ in range(2))
    env.reset()
    for _ in range(5):
        seen, *_ = env.step(np.ones(env.action_space.shape)[None].repeat(env.num_envs, 0))
    assert isinstance(seen, dict)
    other.core.load_state_dict(env.core.state_dict())
    for observed in (env.observation(), other.observation()):
        assert isinstance(observed, dict)
        for name in ("mask", "state", "attention", "coverage"):
            assert np.array_equal(observed[name], seen[name])
    assert isinstance(env.observation(), dict)


def test_telling_a_state_changes_nothing(host: Seq2SeqHost) -> None:
    one, other = (cores.make(host, reward={"shuffled:fidelity": 1.0}) for _ in range(2))
    one.reset(3), other.reset(3)
    for ours, theirs in zip(steps(one, 30, 2), steps(other, 30, 2), strict=True):
        one.state_dict()
        assert all(map(equal, flat(ours), flat(theirs)))


def test_the_state_of_another_core_is_refused(host: Seq2SeqHost) -> None:
    one = cores.make(host, lanes=2)
    one.reset(0)
    with pytest.raises(InputError, match=r"float32 \[2, 10\]: expected float32 \[3, 10\]"):
        cores.make(host, lanes=3).load_state_dict(one.state_dict())
