"""What watches PPO learn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rlattn.agents.best import KeepsBest
from rlattn.agents.training import trained_policy

_ELSEWHERE = ("env_steps", "score", "spent")
"""Parts of a point that logs have by other names, or need not have."""


class Validation(BaseCallback):
    """Has the policy validated now and then, before and after the training included.

    Args:
        validator: Does it, and keeps the best policy.
        every: Environment steps between two validations.
    """

    def __init__(self, validator: KeepsBest[Any], *, every: int) -> None:
        super().__init__()
        self._validator, self._every = validator, every
        self._next = 0

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self._validate()
            self._next = self.num_timesteps + self._every

    def _on_training_end(self) -> None:
        curve = self._validator.curve
        if not curve or curve[-1].env_steps < self.num_timesteps:
            self._validate()
            self.logger.record("time/total_timesteps", self.num_timesteps)
            self.logger.dump(self.num_timesteps)

    def _validate(self) -> None:
        assert isinstance(self.model, PPO)
        point = self._validator.validate(trained_policy(self.model), self.num_timesteps)
        assert self._validator.best is not None
        for name, number in asdict(point).items():
            if name not in _ELSEWHERE:
                self.logger.record(f"valid/{name}", number)
        self.logger.record("valid/best_score", self._validator.best.score)
