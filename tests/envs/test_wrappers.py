"""The wrappers of Gymnasium and Stable-Baselines3 work around every face that they are made for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.wrappers import vector
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize, VecVideoRecorder

import rlattn
from rlattn.agents import RewardLog, make_ppo

ID = "rlattn/Translate-v0"
BOX = "rlattn/TranslateBias-v0"
LANES = 4
STEPS = 30

# What stands around an environment, and the task that has the spaces for it.
SINGLE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "AddRenderObservation": (ID, lambda env: wrappers.AddRenderObservation(env, render_only=False)),
    "ClipAction": (BOX, wrappers.ClipAction),
    "ClipReward": (ID, lambda env: wrappers.ClipReward(env, -0.1, 0.1)),
    "DelayObservation": (ID, lambda env: wrappers.DelayObservation(env, 2)),
    "DtypeObservation": (
        ID,
        lambda env: wrappers.DtypeObservation(wrappers.FlattenObservation(env), np.float64),
    ),
    "FilterObservation": (ID, lambda env: wrappers.FilterObservation(env, ["mask", "attention"])),
    "FlattenObservation": (ID, wrappers.FlattenObservation),
    "FrameStackObservation": (ID, lambda env: wrappers.FrameStackObservation(env, 3)),
    "Monitor": (ID, Monitor),
    "NormalizeObservation": (
        ID,
        lambda env: wrappers.NormalizeObservation(wrappers.FlattenObservation(env)),
    ),
    "NormalizeReward": (ID, wrappers.NormalizeReward),
    "RecordEpisodeStatistics": (ID, wrappers.RecordEpisodeStatistics),
    "RenderCollection": (ID, wrappers.RenderCollection),
    "RepeatAction": (ID, lambda env: wrappers.RepeatAction(env, 2)),
    "RescaleAction": (BOX, lambda env: wrappers.RescaleAction(env, 0.0, 1.0)),
    "StickyAction": (ID, lambda env: wrappers.StickyAction(env, 0.5)),
    "TimeAwareObservation": (
        ID,
        lambda env: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 5)),
    ),
    "TimeLimit": (ID, lambda env: wrappers.TimeLimit(env, 3)),
    "TransformAction": (ID, lambda env: wrappers.TransformAction(env, lambda a: 1 - a, None)),
    "TransformReward": (ID, lambda env: wrappers.TransformReward(env, lambda r: 2 * r)),
}
VECTOR: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ClipAction": (BOX, vector.ClipAction),
    "ClipReward": (ID, lambda env: vector.ClipReward(env, -0.1, 0.1)),
    "DictInfoToList": (ID, vector.DictInfoToList),
    "NormalizeReward": (ID, vector.NormalizeReward),
    "RecordEpisodeStatistics": (ID, vector.RecordEpisodeStatistics),
    "RescaleAction": (BOX, lambda env: vector.RescaleAction(env, 0.0, 1.0)),
    "TransformAction": (ID, lambda env: vector.TransformAction(env, lambda a: 1 - a, None)),
    "TransformReward": (ID, lambda env: vector.TransformReward(env, lambda r: 2 * r)),
}


def play(env: Any, steps: int = STEPS) -> list[Any]:
    """What some steps from a seed lead to; a single environment is reset at each end."""
    single = not hasattr(env, "num_envs")
    env.action_space.seed(0)
    seen, info = env.reset(seed=0)
    led = [(seen, info)]
    assert env.observation_space.contains(seen)
    for _ in range(steps):
        seen, reward, terminated, truncated, info = env.step(env.action_space.sample())
        assert env.observation_space.contains(seen)
        led.append((seen, reward, terminated, truncated, info))
        if single and (terminated or truncated):
            seen, info = env.reset()
            led.append((seen, info))
    env.close()
    return led


def steps_of(led: list[Any]) -> list[Any]:
    return [one for one in led if len(one) == 5]


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_environment_can_be_wrapped(task: dict[str, Any], name: str) -> None:
    id, wrap = SINGLE[name]
    mode = {"AddRenderObservation": "rgb_array", "RenderCollection": "ansi"}.get(name)
    steps = 4 if mode == "rgb_array" else STEPS
    runs = [play(wrap(gymnasium.make(id, render_mode=mode, **task)), steps) for _ in range(2)]
    assert any(step[2] or step[3] for step in steps_of(runs[0])) or steps < STEPS
    for ours, theirs in zip(*runs, strict=True):
        timed = name in ("RecordEpisodeStatistics", "Monitor")  # seconds differ
        assert data_equivalence(ours[:-1] if timed else ours, theirs[:-1] if timed else theirs)


@pytest.mark.parametrize("name", VECTOR)
def test_a_vector_can_be_wrapped(task: dict[str, Any], name: str) -> None:
    id, wrap = VECTOR[name]
    led = steps_of(play(wrap(gymnasium.make_vec(id, num_envs=LANES, **task))))
    assert sum(int((step[2] | step[3]).sum()) for step in led) >= LANES


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: vector.DtypeObservation(env, np.float64),
        lambda env: vector.FilterObservation(env, ["mask"]),
        vector.FlattenObservation,
        vector.NormalizeObservation,
        lambda env: vector.TransformObservation(env, lambda seen: seen, None),
    ],
)
def test_gymnasium_refuses_wrappers_that_follow_another_kind_of_reset(
    task: dict[str, Any], wrap: Callable[[Any], Any]
) -> None:
    with pytest.raises((ValueError, AssertionError), match="NEXT_STEP"):
        wrap(gymnasium.make_vec(ID, num_envs=LANES, **task))


def test_returns_and_lengths_are_counted_beside_the_components(task: dict[str, Any]) -> None:
    led = play(wrappers.RecordEpisodeStatistics(gymnasium.make(ID, **task)))
    total, length, ends = 0.0, 0, 0
    for _, reward, terminated, truncated, info in steps_of(led):
        total, length = total + float(reward), length + 1
        assert bool(info) == (terminated or truncated)
        if info:
            ends += 1
            assert info["episode"]["r"] == pytest.approx(total, abs=1e-5)
            assert info["episode"]["l"] == length
            parts = info["reward_agreement"] - 0.3 * info["reward_reads"]
            assert parts == pytest.approx(total, abs=1e-4)
            assert 0 < info["reads_fraction"] <= 1
            total, length = 0.0, 0
    assert ends >= 3


def test_a_vector_counts_what_its_lanes_count(task: dict[str, Any]) -> None:
    env = vector.RecordEpisodeStatistics(gymnasium.make_vec(ID, num_envs=LANES, **task))
    ends = 0
    for *_, infos in steps_of(play(env)):
        for lane in np.flatnonzero(infos.get("_episode", ())):
            ends += 1
            told = {key: infos["final_info"][key][lane] for key in infos["final_info"]}
            parts = told["reward_agreement"] - 0.3 * told["reward_reads"]
            assert infos["episode"]["r"][lane] == pytest.approx(parts, abs=1e-4)
            assert told["reward_reads"] / infos["episode"]["l"][lane] == pytest.approx(
                told["reads_fraction"], abs=1e-4
            )
    assert ends >= LANES


def test_a_time_limit_truncates(task: dict[str, Any]) -> None:
    lengths, length = [], 0
    for _, _, terminated, truncated, _ in steps_of(
        play(wrappers.TimeLimit(gymnasium.make(ID, **task), 3))
    ):
        length += 1
        if terminated or truncated:
            lengths.append((length, truncated))
            length = 0
    assert max(lengths) == (3, True)


def test_monitor_keeps_the_components_that_it_is_told_to(task: dict[str, Any]) -> None:
    env = Monitor(gymnasium.make(ID, **task), info_keywords=("reads_fraction", "reward_reads"))
    infos = [step[-1] for step in steps_of(play(env)) if step[-1]]
    assert len(infos) >= 3
    for info in infos:
        assert info["episode"]["reads_fraction"] == info["reads_fraction"]
        assert info["episode"]["reward_reads"] == info["reward_reads"]


@pytest.mark.filterwarnings("ignore:.*already wrapped with a `Monitor`")
def test_vec_monitor_counts_what_the_face_counts(task: dict[str, Any]) -> None:
    bare = rlattn.make_sb3(ID, LANES, **task)
    env = VecMonitor(rlattn.make_sb3(ID, LANES, **task), info_keywords=("reads_fraction",))
    for one in (bare, env):
        one.seed(0)
        one.reset()
    ends = 0
    for _ in range(STEPS):
        taken = np.stack([env.action_space.sample() for _ in range(LANES)])
        own, counted = bare.step(taken)[3], env.step(taken)[3]
        for ours, theirs in zip(own, counted, strict=True):
            assert ("episode" in ours) == ("episode" in theirs)
            if "episode" in ours:
                ends += 1
                for key in ("r", "l", "reads_fraction"):
                    assert theirs["episode"][key] == pytest.approx(ours["episode"][key], abs=1e-5)
    assert ends >= LANES


def test_ppo_learns_from_normalised_rewards(task: dict[str, Any]) -> None:
    env = VecNormalize(rlattn.make_sb3(ID, LANES, **task), norm_obs=False)
    ppo = make_ppo(env)
    before = [parameter.detach().clone() for parameter in ppo.policy.parameters()]
    ppo.learn(300, callback=RewardLog())
    assert env.ret_rms.count > 100
    assert any(not p.equal(b) for p, b in zip(ppo.policy.parameters(), before, strict=True))
    raw, normalised = env.get_original_reward(), env.normalize_reward(env.get_original_reward())
    assert np.allclose(normalised, raw / np.sqrt(env.ret_rms.var + env.epsilon))


@pytest.mark.filterwarnings("ignore:.*same-step")
def test_the_pictures_become_videos(task: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("moviepy", reason="videos need the extra 'zoo'")
    env = gymnasium.make(ID, render_mode="rgb_array", **task)
    play(wrappers.RecordVideo(env, str(tmp_path / "one"), episode_trigger=lambda n: n == 0), 4)
    lanes = gymnasium.make_vec(ID, num_envs=2, render_mode="rgb_array", **task)
    folder = str(tmp_path / "many")
    play(vector.RecordVideo(lanes, folder, step_trigger=lambda n: n == 0, video_length=2), 4)
    sb3 = rlattn.make_sb3(ID, 2, render_mode="rgb_array", **task)
    sb3 = VecVideoRecorder(sb3, str(tmp_path / "sb3"), lambda n: n == 0, video_length=2)
    sb3.reset()
    for _ in range(4):
        sb3.step(np.stack([sb3.action_space.sample() for _ in range(2)]))
    sb3.close()
    assert list((tmp_path / "one").glob("*.mp4"))
    assert list((tmp_path / "many").glob("*.mp4"))
    assert list((tmp_path / "sb3").glob("*.mp4"))
