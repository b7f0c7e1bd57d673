"""What watches PPO learn."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rlattn.agents.best import KeepsBest
from rlattn.agents.training import trained_policy
from rlattn.inference import TrainedPolicy, Training
from rlattn.storage.fields import read
from rlattn.storage.state import State, part, take

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

    def state_dict(self) -> State:
        """The curve, the policy that is kept, and when the next validation is."""
        kept = None
        if self._validator.best is not None:
            policy: TrainedPolicy = self._validator.policy
            assert policy.training is not None
            kept = {"weights": policy.policy.state_dict(), "training": asdict(policy.training)}
        return {"validator": self._validator.state_dict(), "kept": kept, "next": self._next}

    def load_state_dict(self, state: State, ppo: PPO) -> None:
        """Goes on from the curve and the policy of another.

        Args:
            state: Of the other.
            ppo: Will be validated.

        Raises:
            InputError: If the state is not that of such a training.
        """
        policy = None
        if (kept := state["kept"]) is not None:
            policy = trained_policy(ppo)
            weights, own = part(kept, "weights"), policy.policy.state_dict()
            policy.policy.load_state_dict({name: take(weights, name, own[name]) for name in own})
            policy.training = read(Training, part(kept, "training"), "training")
        self._validator.load_state_dict(part(state, "validator"), policy)
        self._next = take(state, "next", 0)

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
