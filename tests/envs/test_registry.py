"""What holds for every task that has an id, and what an id may be."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import rlattn
from rlattn.corpora import Pair
from rlattn.envs import TASKS, AttentionVectorEnv
from rlattn.errors import InputError

LANES = 4
EVERY_ID = pytest.mark.parametrize("id", list(TASKS))


@pytest.fixture
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    return ours.keys() == theirs.keys() and all(
        np.allclose(ours[key], theirs[key], atol=1e-4) for key in ours
    )


@EVERY_ID
@pytest.mark.parametrize("render_mode", ["ansi", "rgb_array"])
@pytest.mark.usefixtures("_no_warnings")
def test_both_checkers_are_content(own_task: dict[str, Any], id: str, render_mode: str) -> None:
    env = gymnasium.make(id, render_mode=render_mode, **own_task)
    check_env(env.unwrapped)
    check_env_sb3(env.unwrapped)


@EVERY_ID
def test_an_id_and_what_was_changed_survive_json(own_task: dict[str, Any], id: str) -> None:
    env = gymnasium.make(id, split="valid", **own_task)
    assert env.spec is not None
    assert env.spec.kwargs == {**TASKS[id], **own_task, "split": "valid"}
    again = gymnasium.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec is not None
    assert again.spec.kwargs == json.loads(json.dumps(env.spec.kwargs))
    assert same(env.reset(seed=3)[0], again.reset(seed=3)[0])


@EVERY_ID
def test_the_same_seed_is_the_same_run(own_task: dict[str, Any], id: str) -> None:
    def run(seed: int) -> list[tuple[str, float, bool, bool]]:
        env = gymnasium.make(id, **own_task)
        env.action_space.seed(0)
        env.reset(seed=seed)
        steps = []
        for _ in range(30):
            source = env.unwrapped.core.pair(0).source
            _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            steps.append((source, float(reward), terminated, truncated))
            if terminated or truncated:
                env.reset()
        return steps

    assert run(1) == run(1)
    assert [step[0] for step in run(1)] != [step[0] for step in run(2)]


@EVERY_ID
def test_lanes_are_the_same_sentences_alone(own_task: dict[str, Any], id: str) -> None:
    vector = gymnasium.make_vec(id, num_envs=LANES, **own_task)
    assert isinstance(vector, AttentionVectorEnv)
    assert vector.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    vector.action_space.seed(0)
    vector.reset(seed=0)
    episodes: dict[Pair, list[Any]] = {}
    at: list[tuple[Pair, list[Any]]] = [(vector.core.pair(lane), []) for lane in range(LANES)]
    for _ in range(20):
        taken = vector.action_space.sample()
        _, reward, terminated, truncated, infos = vector.step(taken)
        for lane in range(LANES):
            ends = bool(terminated[lane]), bool(truncated[lane])
            at[lane][1].append((taken[lane], reward[lane], *ends))
            if any(ends):
                told = {
                    key: values[lane]
                    for key, values in infos["final_info"].items()
                    if not key.startswith("_")
                }
                last = infos["final_obs"][lane]
                episodes[at[lane][0]] = [*at[lane][1], (told, last)]
                at[lane] = vector.core.pair(lane), []
    assert len(episodes) >= LANES

    single = gymnasium.make(id, **own_task)
    single.reset(seed=1)
    ends = set()
    for _ in range(120):  # all sentences, in another order
        pair = single.unwrapped.core.pair(0)
        if pair in episodes:
            *steps, (told, last) = episodes.pop(pair)
            for action, reward, terminated, truncated in steps:
                seen, *outcome, info = single.step(action)
                assert outcome == [pytest.approx(reward, abs=1e-4), terminated, truncated]
            ends.add((terminated, truncated))
            assert info == pytest.approx(told, abs=1e-4)
            assert same(seen, last)
        else:
            single.step(single.action_space.sample())
        single.reset()
    assert not episodes, "sentences that the single environment never came to"
    assert ends <= {(True, False), (False, True)}


@pytest.mark.parametrize("id", [id for id in TASKS if "Translate" in id])
def test_a_sentence_that_is_cut_is_truncated_and_not_terminated(
    task: dict[str, Any], id: str
) -> None:
    env = gymnasium.make(id, **{**task, "max_target": 1})
    env.reset(seed=0)
    ends = set()
    for _ in range(40):
        ends.add(env.step(env.action_space.sample())[2:4])
        env.reset()
    # A reference that is cut is given its end, and so comes to it.
    cut = set() if TASKS[id].get("prefix") == "reference" else {(False, True)}
    assert ends == {(True, False)} | cut


@EVERY_ID
def test_every_face_draws_the_sentences_of_a_seed_in_one_order(
    own_task: dict[str, Any], id: str
) -> None:
    vector, sb3 = (
        gymnasium.make_vec(id, num_envs=LANES, **own_task),
        rlattn.make_sb3(id, LANES, **own_task),
    )
    for seed in (0, 1):
        vector.reset(seed=seed)
        sb3.seed(seed)
        sb3.reset()
        for _ in range(10):
            drawn = [[env.core.pair(lane) for lane in range(LANES)] for env in (vector, sb3)]
            assert drawn[0] == drawn[1]
            taken = vector.action_space.sample()
            assert np.allclose(vector.step(taken)[1], sb3.step(taken)[1], atol=1e-5)


def test_make_sb3_takes_what_differs_from_the_task(task: dict[str, Any]) -> None:
    env = rlattn.make_sb3("rlattn/TranslateBias-v0", 3, action="gate", handles=False, **task)
    assert env.num_envs == 3
    assert env.core.family.name == "gate"
    assert env.core.prefix == "reference", "as in the task"
    assert "memory" in env.observation_space.spaces


@pytest.mark.usefixtures("_registered_only_here")
def test_a_task_of_ones_own_has_every_face(task: dict[str, Any]) -> None:
    rlattn.register_task("mine/Short-v3", **task, action="topk:2", reward={"chrf": 1.0})
    assert gymnasium.make("mine/Short-v3").unwrapped.core.family.spec == "topk:2"
    assert gymnasium.make_vec("mine/Short-v3", num_envs=2).core.reward.weights == {"chrf": 1.0}
    assert rlattn.make_sb3("mine/Short-v3", 2).core.lanes == 2
    assert TASKS["mine/Short-v3"]["action"] == "topk:2"


@pytest.mark.usefixtures("_registered_only_here")
@pytest.mark.parametrize(
    ("id", "defaults", "message"),
    [
        ("Translate-v9", {}, "expected namespace/Name-vN"),
        ("mine/Translate", {}, "expected namespace/Name-vN"),
        ("mine/Translate-v", {}, "expected namespace/Name-vN"),
        ("rlattn/Translate-v0", {}, "is taken"),
        ("mine/T-v0", {"acton": "gate"}, "unknown setting 'acton': did you mean 'action'"),
        ("mine/T-v0", {"zzz": 1}, "unknown setting 'zzz': expected one of action, copies, corpus"),
        ("mine/T-v0", {"family": "gate"}, "unknown setting 'family'"),
        ("mine/T-v0", {"lanes": 4}, "num_envs"),
        ("mine/T-v0", {"steps": 4}, "unknown setting 'steps'"),
        ("mine/T-v0", {"kind": "classification", "prefix": "free"}, "unknown setting 'prefix'"),
        ("mine/T-v0", {"kind": "divination"}, "unknown kind 'divination': expected one of"),
        ("mine/T-v0", {"reward": {"reads": float("nan")}}, "reward=.*JSON"),
        ("mine/T-v0", {"seed": np.int64(3)}, "seed=.*JSON"),
        ("mine/T-v0", {"host": object()}, "host=.*JSON"),
    ],
)
def test_what_cannot_be_a_task_is_refused(id: str, defaults: dict[str, Any], message: str) -> None:
    before = dict(TASKS)
    with pytest.raises(InputError, match=message):
        rlattn.register_task(id, **defaults)
    assert before == dict(TASKS)


def test_a_task_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'rlattn/TranslateBias-v0'"):
        rlattn.make_sb3("rlattn/TranslateBais-v0")
