"""A policy that broke ends its training, and what it says names the reason."""

from __future__ import annotations

import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback

from rlattn.agents import PPOSettings, learn, make_ppo
from rlattn.envs import AttentionVecEnv
from rlattn.errors import DivergedError
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import make

SMALL = PPOSettings(rollout=8, batch_size=24, epochs=1, width=16)


class Break(BaseCallback):
    """Breaks a weight before the update."""

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        next(self.model.policy.parameters()).data.fill_(torch.nan)


@pytest.mark.parametrize("rollouts", [1, 3])
def test_a_weight_that_is_no_number(host: Seq2SeqHost, rollouts: int) -> None:
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=6)), SMALL)
    message = "weights attention.* are not all finite numbers after the update at 48 steps"
    with pytest.raises(DivergedError, match=message):
        learn(ppo, rollouts * 48, [Break()], progress=False)


class Mislead(BaseCallback):
    """Makes the update believe that its actions were hardly possible."""

    def _on_step(self) -> bool:
        return True

    def _on_rollout_end(self) -> None:
        self.model.rollout_buffer.log_probs -= 10.0


def test_ratios_that_explode(host: Seq2SeqHost) -> None:
    ppo = make_ppo(AttentionVecEnv(make(host, lanes=6)), SMALL)
    with pytest.raises(DivergedError, match=r"ratios exploded: after the update at 48 steps"):
        learn(ppo, 200, [Mislead()], progress=False)
