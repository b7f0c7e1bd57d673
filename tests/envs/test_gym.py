"""The Gymnasium faces: what the core computes, in the forms that Gymnasium asks for."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as check_env_sb3

import rlattn  # noqa: F401  (registers the environment)
from rlattn.envs import AttentionEnv, AttentionVectorEnv, make_core
from rlattn.envs.core import TranslationCore
from rlattn.envs.transition import View
from rlattn.errors import InputError
from tests.envs.cores import ended

ID = "rlattn/Translate-v0"
LANES = 4
ACTIONS = ["gate", "bias", "mix", "position", "sharpness", "simplex", "topk:2", "window"]
TIED = ["gate:2", "gate:sentence:3,8,13,18,23,28"]
LAYERED = ["per-layer:gate", "per-layer:mix", "per-layer:position", "per-layer:gate:sentence:5,9"]
EVERY_ACTION = pytest.mark.parametrize("action", [*ACTIONS, *TIED, *LAYERED])
EVERY_PREFIX = pytest.mark.parametrize("prefix", ["free", "reference", "host"])


@pytest.fixture
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@EVERY_ACTION
@EVERY_PREFIX
@pytest.mark.usefixtures("_no_warnings")
def test_both_checkers_are_content(task: dict[str, Any], prefix: str, action: str) -> None:
    env = gymnasium.make(ID, render_mode="ansi", prefix=prefix, action=action, **task)
    check_env(env.unwrapped)
    check_env_sb3(env.unwrapped)


@pytest.mark.usefixtures("_no_warnings")
def test_the_arguments_are_plain_data(task: dict[str, Any]) -> None:
    env = gymnasium.make(ID, split="valid", reward={"chrf": 1.0}, prefix="free", **task)
    assert env.spec is not None
    json.dumps(env.spec.kwargs)
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    first, _ = env.reset(seed=3)
    second, _ = again.reset(seed=3)
    assert same(first, second)


def carried(core: TranslationCore, view: View, memory: np.ndarray) -> dict[str, np.ndarray]:
    """A view with what these faces carry in place of handles."""
    token = core.embedding.gather(view["token"])
    arrays = {key: value.numpy() for key, value in {**view, "token": token}.items()}
    return {**arrays, "memory": memory}


def one(observed: dict[str, np.ndarray], index: int) -> dict[str, np.ndarray]:
    return {key: value[index] for key, value in observed.items()}


def same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    return ours.keys() == theirs.keys() and all(
        np.allclose(ours[key], theirs[key], atol=1e-5) for key in ours
    )


def parts(summary: dict[str, float]) -> dict[str, float]:
    """A summary without return and length, which wrappers count."""
    return {key: value for key, value in summary.items() if key not in ("r", "l")}


@EVERY_ACTION
@EVERY_PREFIX
def test_one_environment_is_a_core_of_one_lane(
    task: dict[str, Any], prefix: str, action: str
) -> None:
    settings = {**task, "prefix": prefix, "action": action}
    env, core = AttentionEnv(**settings), make_core(lanes=1, **settings)
    env.action_space.seed(0)
    seen, _ = env.reset(seed=5)
    view = core.reset(5)
    for _ in range(25):
        assert env.observation_space.contains(seen)
        memory = core.memory().flatten(1).numpy()
        assert same(seen, one(carried(core, view, memory), 0))
        taken = env.action_space.sample()
        seen, reward, terminated, truncated, info = env.step(taken)
        transition = core.step(torch.as_tensor(taken)[None].float())
        view = transition.view
        assert reward == pytest.approx(transition.reward[0], abs=1e-5)
        assert (terminated, truncated) == (transition.terminated[0], transition.truncated[0])
        if ended(transition)[0]:
            final = transition.final_view
            assert final is not None
            # The sentence that came to its end, not the next one.
            assert same(seen, one(carried(core, final, memory), 0))
            assert info == pytest.approx(parts(transition.summaries[0]), abs=1e-4)
            seen, info = env.reset()
        assert info == {}


def test_a_reset_goes_on_to_the_next_sentence(task: dict[str, Any]) -> None:
    env = AttentionEnv(prefix="free", **task)
    env.reset(seed=0)
    sources = [env.core.pair(0).source]
    for _ in range(4):
        env.step(env.action_space.sample())
        if not env.core.fresh:
            env.reset()  # in the middle of a sentence, too
        sources.append(env.core.pair(0).source)
    assert len(set(sources)) == 5
    env.reset(seed=0)
    assert env.core.pair(0).source == sources[0]


def test_a_sentence_can_be_watched(task: dict[str, Any]) -> None:
    env = gymnasium.make(ID, render_mode="ansi", prefix="free", **task)
    env.reset(seed=0)
    core = env.unwrapped.core
    written = ended = 0
    for _ in range(10):
        source = core.pair(0).source
        assert plain(env.render()).startswith(source)
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        shown, output = plain(env.render()).split("\n")
        assert shown == f"{source}</s>", "at its end, too"
        if terminated or truncated:
            ended += 1
            env.reset()
        else:
            assert output == core.hypotheses(np.array([0]))[0]
        written += bool(output)
    assert written
    assert ended
    silent = gymnasium.make(ID, **task)
    silent.reset()
    assert silent.unwrapped.render() is None


def plain(shaded: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", shaded)


def test_a_vector_shows_each_lane(task: dict[str, Any]) -> None:
    env = gymnasium.make_vec(ID, num_envs=LANES, render_mode="ansi", **task)
    silent = gymnasium.make_vec(ID, num_envs=LANES, **task)
    env.action_space.seed(0)
    assert same(env.reset(seed=0)[0], silent.reset(seed=0)[0])
    for _ in range(15):
        sources = [env.unwrapped.core.pair(lane).source for lane in range(LANES)]
        taken = env.action_space.sample()
        assert same(env.step(taken)[0], silent.step(taken)[0]), "being watched changes nothing"
        shown = env.render()
        assert [plain(frame).split("\n")[0] for frame in shown] == [f"{s}</s>" for s in sources]
    assert silent.render() is None


def test_pictures_of_one_and_of_many_are_the_same(task: dict[str, Any]) -> None:
    single = gymnasium.make(ID, render_mode="rgb_array", **task)
    vector = gymnasium.make_vec(ID, num_envs=1, render_mode="rgb_array", **task)
    single.action_space.seed(0)
    single.reset(seed=0)
    vector.reset(seed=0)
    for _ in range(3):
        frame = single.render()
        assert np.array_equal(frame, vector.render()[0])
        taken = single.action_space.sample()
        _, _, terminated, truncated, _ = single.step(taken)
        vector.step(taken[None])
        if terminated or truncated:
            break
        assert not np.array_equal(frame, single.render())


@pytest.mark.parametrize("face", [AttentionEnv, AttentionVectorEnv])
def test_an_unknown_render_mode_is_refused(task: dict[str, Any], face: Any) -> None:
    with pytest.raises(InputError, match="unknown render mode 'human'"):
        face(render_mode="human", **task)


@pytest.mark.usefixtures("_no_warnings")
def test_a_vector_comes_from_the_same_id(task: dict[str, Any]) -> None:
    env = gymnasium.make_vec(ID, num_envs=LANES, action="bias", **task)
    assert isinstance(env, AttentionVectorEnv)
    assert env.num_envs == LANES
    assert env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen)
    assert env.action_space.contains(env.action_space.sample())
    env.close()


@EVERY_ACTION
@EVERY_PREFIX
def test_a_vector_is_a_core_of_many_lanes(task: dict[str, Any], prefix: str, action: str) -> None:
    settings = {**task, "prefix": prefix, "action": action}
    env, core = AttentionVectorEnv(LANES, **settings), make_core(lanes=LANES, **settings)
    env.action_space.seed(0)
    seen, _ = env.reset(seed=5)
    view, finished = core.reset(5), 0
    for _ in range(20):
        assert env.observation_space.contains(seen)
        before = core.memory().flatten(1).numpy()
        assert same(seen, carried(core, view, before))
        taken = env.action_space.sample()
        seen, reward, terminated, truncated, infos = env.step(taken)
        transition = core.step(torch.from_numpy(taken).float())
        view, done = transition.view, ended(transition)
        assert np.allclose(reward, transition.reward, atol=1e-5)
        assert np.array_equal(terminated, transition.terminated)
        assert np.array_equal(truncated, transition.truncated)
        assert bool(infos) == done.any()
        if not done.any():
            continue
        finished += done.sum()
        final, lanes = transition.final_view, np.flatnonzero(done)
        assert final is not None
        assert np.array_equal(infos["_final_obs"], done)
        assert np.array_equal(infos["_final_info"], done)
        components = parts(transition.summaries[0])
        assert infos["final_info"].keys() == {*components, *(f"_{key}" for key in components)}
        assert all(np.array_equal(infos["final_info"][f"_{key}"], done) for key in components)
        for row, lane in enumerate(lanes):
            last = infos["final_obs"][lane]
            assert env.single_observation_space.contains(last)
            assert same(last, one(carried(core, final, before[lanes]), row))
            told = {key: infos["final_info"][key][lane] for key in components}
            assert told == pytest.approx(parts(transition.summaries[row]), abs=1e-4)
        assert all(infos["final_obs"][lane] is None for lane in np.flatnonzero(~done))
    assert finished > 3


@pytest.mark.parametrize("vector", [False, True])
def test_later_steps_do_not_change_what_was_returned(task: dict[str, Any], vector: bool) -> None:
    env = AttentionVectorEnv(LANES, **task) if vector else AttentionEnv(**task)
    seen, _ = env.reset(seed=0)
    kept = []
    for _ in range(25):
        kept.append((seen, {key: value.copy() for key, value in seen.items()}))
        seen, _, terminated, truncated, infos = env.step(env.action_space.sample())
        if "final_obs" in infos:
            last = next(last for last in infos["final_obs"] if last is not None)
            kept.append((last, {key: value.copy() for key, value in last.items()}))
        elif not vector and (terminated or truncated):
            seen, _ = env.reset()
    for given, copied in kept:
        assert all(np.array_equal(given[key], copied[key]) for key in copied)


def test_a_vector_takes_a_list_of_seeds(task: dict[str, Any]) -> None:
    env = AttentionVectorEnv(LANES, **task)
    first, _ = env.reset(seed=[7, 8, 9, 10])
    second, _ = env.reset(seed=7)
    assert same(first, second)
    third, _ = env.reset()
    assert not same(second, third)


@pytest.mark.usefixtures("_no_warnings")
def test_a_plain_loop_runs_without_arguments() -> None:
    env = gymnasium.make(ID)  # the embedded host and corpus
    seen, _ = env.reset(seed=0)
    assert env.observation_space.contains(seen)
    for _ in range(3):
        env.step(env.action_space.sample())
