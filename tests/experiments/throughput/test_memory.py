"""Bytes of what is stored."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rlattn.experiments.throughput import memory
from rlattn.experiments.throughput.ppo import Learning
from rlattn.experiments.throughput.workload import Workload


def test_all_arrays_of_the_buffer_count(tiny: Workload) -> None:
    ppo = Learning(tiny.settings({"reads": -1.0}), 2, 1).ppo
    before = memory.transition_bytes(ppo)
    rows = ppo.rollout_buffer.buffer_size * ppo.rollout_buffer.n_envs
    ppo.rollout_buffer.further = {"deep": np.zeros((rows, 3), np.float16)}  # type: ignore[attr-defined]
    assert memory.transition_bytes(ppo) == before + 6


def test_a_known_buffer_has_a_known_size(tiny: Workload) -> None:
    ppo = Learning(tiny.settings({"reads": -1.0}), 2, 1).ppo
    observation = sum(
        space.dtype.itemsize * int(np.prod(space.shape))
        for space in ppo.observation_space.spaces.values()  # type: ignore[attr-defined]
    )
    action = ppo.action_space.dtype.itemsize * int(np.prod(ppo.action_space.shape))  # type: ignore[union-attr,arg-type]
    numbers = 6 * 4  # reward, return, start, value, log-probability, advantage
    assert memory.transition_bytes(ppo) == observation + action + numbers


def test_an_episode_shares_its_memory() -> None:
    assert memory.memory_share(64, 64, 512) == 1024
    assert memory.memory_share(10, 20, 4) == 4


def test_keeping_the_memory_once_pays() -> None:
    found = memory.reference_transition()
    once = found["bytes_per_transition"]
    assert found["memory_each_step_bytes"] - found["memory_each_step_bytes_float16"] == 64 * 512 * 2
    for kind in ("", "_float16"):
        ratio = found[f"bytes_per_transition_over_memory_each_step{kind}"]
        assert ratio == pytest.approx(once / found[f"memory_each_step_bytes{kind}"])
        assert ratio < 1 / 8


def test_the_process_has_used_some_memory() -> None:
    assert 50 < memory.peak_rss_mb() < 100_000
    assert memory.peak_device_mb("cpu") is None


def test_a_process_does_not_count_the_memory_of_the_one_that_started_it() -> None:
    held = np.ones(10**8 // 8 * 15)  # 1.5 GB
    code = "from rlattn.experiments.throughput import memory; print(memory.peak_rss_mb())"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    own = memory.peak_rss_mb()
    del held
    assert own > 1500 > float(answer.stdout)
