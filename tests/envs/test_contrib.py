"""sb3-contrib's trainers work on the position task, through either face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

import rlattn

contrib = pytest.importorskip("sb3_contrib", reason="needs the extra 'contrib'")

ID = "rlattn/TranslatePosition-v0"
LANES = 4
STEPS = 400
SMALL = {"n_steps": 25, "batch_size": 50, "n_epochs": 1}


def of_gymnasium(task: dict[str, Any]) -> VecEnv:
    return DummyVecEnv([lambda: Monitor(gymnasium.make(ID, **task))] * LANES)


def of_lanes(task: dict[str, Any]) -> VecEnv:
    return rlattn.make_sb3(ID, LANES, handles=False, **task)


EITHER_FACE = pytest.mark.parametrize("build", [of_gymnasium, of_lanes])


class Chosen(BaseCallback):
    """Whether each position that was chosen held a source token."""

    def __init__(self) -> None:
        super().__init__()
        self.valid: list[bool] = []

    def _on_step(self) -> bool:
        mask = self.locals["obs_tensor"]["mask"].numpy()
        self.valid += mask[np.arange(len(mask)), self.locals["actions"]].astype(bool).tolist()
        return True


@EITHER_FACE
def test_maskable_ppo_chooses_no_padding(
    task: dict[str, Any], build: Callable[[dict[str, Any]], VecEnv]
) -> None:
    masked, free = Chosen(), Chosen()
    for watching, use_masking in ((masked, True), (free, False)):
        ppo = contrib.MaskablePPO("MultiInputPolicy", build(task), seed=0, **SMALL)
        ppo.learn(STEPS, callback=watching, use_masking=use_masking)
        assert len(watching.valid) == STEPS
        assert ppo.ep_info_buffer, "episodes came to their ends, and were counted"
    assert all(masked.valid)
    assert not all(free.valid), "without masks it would have"


def test_maskable_ppo_masks_each_of_several_positions(task: dict[str, Any]) -> None:
    env = rlattn.make_sb3(ID, LANES, handles=False, action="topk:2", **task)
    ppo = contrib.MaskablePPO("MultiInputPolicy", env, seed=0, **SMALL)
    seen = env.reset()
    for _ in range(20):
        masks = np.stack(env.env_method("action_masks"))
        chosen, _ = ppo.predict(seen, action_masks=masks)
        assert np.take_along_axis(seen["mask"], chosen, axis=1).all()
        seen = env.step(chosen)[0]


@EITHER_FACE
def test_recurrent_ppo_trains(
    task: dict[str, Any], build: Callable[[dict[str, Any]], VecEnv]
) -> None:
    settings: dict[str, Any] = {**SMALL, "policy_kwargs": {"lstm_hidden_size": 16}}
    ppo = contrib.RecurrentPPO("MultiInputLstmPolicy", build(task), seed=0, **settings)
    before = [parameter.detach().clone() for parameter in ppo.policy.parameters()]
    ppo.learn(STEPS)
    assert ppo.ep_info_buffer
    after = list(ppo.policy.parameters())
    assert all(parameter.isfinite().all() for parameter in after)
    assert any(not p.equal(b) for p, b in zip(after, before, strict=True))
