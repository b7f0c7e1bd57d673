"""The Stable-Baselines3 face: what the core computes, with handles in place of memories."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecNormalize

from rlattn.agents import make_ppo
from rlattn.agents.ppo import to_observation
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import LANES, ended, make

ACTIONS = ["gate", "bias", "mix", "position", "sharpness", "simplex", "topk:2", "window"]
TIED = ["gate:2", "gate:sentence:3,8,13,18,23,28"]
LAYERED = ["per-layer:gate", "per-layer:mix", "per-layer:position", "per-layer:gate:sentence:5,9"]
EVERY_ACTION = pytest.mark.parametrize("action", [*ACTIONS, *TIED, *LAYERED])
EVERY_PREFIX = pytest.mark.parametrize("prefix", ["free", "reference", "host"])


def actions(env: AttentionVecEnv) -> np.ndarray:
    return np.stack([env.action_space.sample() for _ in range(env.num_envs)])


@EVERY_ACTION
@EVERY_PREFIX
def test_it_is_the_core(host: Seq2SeqHost, prefix: str, action: str) -> None:
    env = AttentionVecEnv(make(host, prefix=prefix, action=action))
    core = make(host, prefix=prefix, action=action)
    env.action_space.seed(0)
    env.seed(5)
    seen, view, finished = env.reset(), core.reset(5), 0
    for _ in range(20):
        for lane in range(LANES):
            assert env.observation_space.contains({key: seen[key][lane] for key in seen})
        assert np.array_equal(seen["episode"], env.core.memory_handles)
        assert np.array_equal(seen["token"][:, 1], view.pop("token"))
        assert all(np.allclose(seen[key], view[key].numpy(), atol=1e-5) for key in view)
        taken, handles = actions(env), seen["episode"]
        seen, reward, done, infos = env.step(taken)
        transition = core.step(torch.from_numpy(taken).float())
        view = transition.view
        assert np.allclose(reward, transition.reward, atol=1e-5)
        assert np.array_equal(done, ended(transition))
        summaries = iter(transition.summaries)
        rows = iter(range(LANES))
        for lane, info in enumerate(infos):
            if not done[lane]:
                assert info == {}
                continue
            finished += 1
            assert info["TimeLimit.truncated"] == transition.truncated[lane]
            summary = pytest.approx(next(summaries), abs=1e-4)
            assert info["episode"] == summary
            flat = {key: info[key] for key in info["episode"] if key not in ("r", "l")}
            assert {**info["episode"], **flat} == summary
            last, row = info["terminal_observation"], next(rows)
            assert env.observation_space.contains(last)
            assert np.array_equal(last["episode"], handles[lane]), "the sentence that ended"
            assert transition.final_view is not None
            for key, value in transition.final_view.items():
                given = last[key][1] if key == "token" else last[key]
                assert np.allclose(given, value[row].numpy(), atol=1e-5)
    assert finished >= 3


def test_infos_are_small(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host))
    env.reset()
    for _ in range(10):
        _, _, done, infos = env.step(actions(env))
        for lane in range(LANES):
            assert len(pickle.dumps(infos[lane])) < (3000 if done[lane] else 10)


def test_later_steps_do_not_change_what_was_returned(host: Seq2SeqHost) -> None:
    env, kept = AttentionVecEnv(make(host)), []
    seen = env.reset()
    for _ in range(20):
        kept.append((seen, {key: value.copy() for key, value in seen.items()}))
        seen, _, _, infos = env.step(actions(env))
        for info in infos:
            if info:
                last = info["terminal_observation"]
                kept.append((last, {key: value.copy() for key, value in last.items()}))
    for given, copied in kept:
        assert all(np.array_equal(given[key], copied[key]) for key in copied)


@pytest.mark.parametrize("horizon", [1, 8, 40])
def test_memories_stay_for_the_horizon(host: Seq2SeqHost, horizon: int) -> None:
    env = AttentionVecEnv(make(host, prefix="free", horizon=horizon))
    seen = [env.reset()]
    memories = [env.core.memory()]
    for step in range(60):
        seen.append(env.step(actions(env))[0])
        memories.append(env.core.memory())
        oldest = max(0, step + 1 - horizon)
        for age in (oldest, step + 1):
            mask = torch.from_numpy(seen[age]["mask"]).bool()
            given = {key: torch.from_numpy(value) for key, value in seen[age].items()}
            observation = to_observation(given)
            read = observation.memory[observation.rows]
            assert torch.equal(read, memories[age][mask])


def test_a_memory_beyond_the_horizon_is_refused(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host, horizon=4))
    first = {key: torch.from_numpy(value) for key, value in env.reset().items()}
    for _ in range(400):  # so that all sentences that were read with the first ones are used up
        env.step(actions(env))
    with pytest.raises(LookupError, match="`horizon`"):
        to_observation(first)


def test_handles_of_an_environment_that_is_gone_are_refused(host: Seq2SeqHost) -> None:
    seen = AttentionVecEnv(make(host)).reset()
    with pytest.raises(LookupError, match="is gone"):
        to_observation({key: torch.from_numpy(value) for key, value in seen.items()})


def test_a_seed_holds_for_one_reset(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host))
    env.seed(3)
    first, second = env.reset(), env.reset()
    env.seed(3)
    third = env.reset()
    assert np.array_equal(first["mask"], third["mask"])
    assert np.allclose(first["state"], third["state"])
    assert not np.array_equal(second["mask"], first["mask"])


def test_what_stable_baselines_asks_of_an_environment(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host))
    assert env.num_envs == LANES
    assert env.get_attr("core") == [env.core] * LANES
    assert env.get_attr("num_envs", [0, 2]) == [LANES] * 2
    env.set_attr("note", 7)
    assert env.get_attr("note", 1) == [7]
    env.reset()
    assert env.env_method("get_attr", "core", indices=[1]) == [[env.core] * LANES]
    assert env.env_is_wrapped(Monitor) == [True] * LANES
    assert env.get_images() == [None] * LANES
    env.close()


@EVERY_PREFIX
def test_without_handles_it_carries_what_they_stand_for(host: Seq2SeqHost, prefix: str) -> None:
    by_handle = AttentionVecEnv(make(host, prefix=prefix))
    carrying = AttentionVecEnv(make(host, prefix=prefix), handles=False)
    for env in (by_handle, carrying):
        env.seed(5)
    pair = by_handle.reset(), carrying.reset()
    finished = 0
    for _ in range(20):
        assert carrying.observation_space.contains({key: pair[1][key][0] for key in pair[1]})
        assert same(*pair)
        taken = actions(by_handle)
        (*seen, infos), (*also_seen, also_infos) = by_handle.step(taken), carrying.step(taken)
        pair = seen[0], also_seen[0]
        for info, also in zip(infos, also_infos, strict=True):
            if info:
                finished += 1
                last = [one.pop("terminal_observation") for one in (info, also)]
                assert same(*({key: value[None] for key, value in one.items()} for one in last))
            assert info == also
    assert finished >= 3


def same(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> bool:
    """Whether the policy sees the same in both, with handles or without."""
    first, second = (
        to_observation({key: torch.from_numpy(value) for key, value in seen.items()})
        for seen in (ours, theirs)
    )
    return all(
        torch.equal(*pair)
        for pair in (
            (first.memory[first.rows], second.memory),
            *((getattr(first, key), getattr(second, key)) for key in ("mask", "state", "token")),
            *((getattr(first, key), getattr(second, key)) for key in ("attention", "coverage")),
        )
    )


def test_handles_that_were_changed_are_refused(host: Seq2SeqHost) -> None:
    env = VecNormalize(AttentionVecEnv(make(host)), norm_obs_keys=["episode"])
    with pytest.raises(InputError, match="norm_obs_keys without 'episode'"):
        make_ppo(env).learn(1)


@pytest.mark.parametrize(("action", "digits"), [("position", 1), ("topk:2", 2)])
def test_each_lane_has_masks_of_its_own(host: Seq2SeqHost, action: str, digits: int) -> None:
    env = AttentionVecEnv(make(host, action=action))
    seen = env.reset()
    for _ in range(5):
        masks = env.env_method("action_masks")
        assert np.array_equal(masks, np.tile(seen["mask"], digits))
        assert np.array_equal(env.env_method("action_masks", indices=[2, 0]), [masks[2], masks[0]])
        seen = env.step(actions(env))[0]
    assert len({mask.sum() for mask in masks}) > 1


@pytest.mark.parametrize("action", ["gate", "bias", "window"])
def test_actions_that_are_no_positions_have_no_masks(host: Seq2SeqHost, action: str) -> None:
    env = AttentionVecEnv(make(host, action=action))
    with pytest.raises(InputError, match=f"action '{action}' has no masks"):
        env.env_method("action_masks")


def test_pictures_of_every_lane_are_tiled(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host), render_mode="rgb_array")
    env.reset()
    env.step(actions(env))
    images = env.get_images()
    assert [image.shape for image in images] == [(960, 960, 3)] * LANES
    tiled = env.render()
    assert np.array_equal(tiled[:960, :960], images[0])
    with pytest.raises(InputError, match="unknown render mode 'ansi'"):
        AttentionVecEnv(make(host), render_mode="ansi")


def test_it_keeps_the_books_of_a_monitor(host: Seq2SeqHost) -> None:
    env = AttentionVecEnv(make(host, prefix="free"))
    env.reset()
    totals, lengths = np.zeros(LANES), np.zeros(LANES)
    for _ in range(20):
        _, reward, done, infos = env.step(actions(env))
        totals, lengths = totals + reward, lengths + 1
        for lane in np.flatnonzero(done):
            assert infos[lane]["episode"]["r"] == pytest.approx(totals[lane], abs=1e-4)
            assert infos[lane]["episode"]["l"] == lengths[lane]
        totals[done] = lengths[done] = 0
