"""A whole `learn()` of PPO: how fast it is, and where its time goes."""

from __future__ import annotations

from typing import Any

from stable_baselines3 import PPO

from rlattn.agents import PointerPolicy, learn, make_ppo
from rlattn.envs import AttentionVecEnv
from rlattn.envs.tasks import make_any_core
from rlattn.experiments.throughput.measure import Contestant, clock
from rlattn.experiments.throughput.shares import Methods, timed
from rlattn.hosts import LaneDecoder, Seq2SeqHost
from rlattn.hosts.classifier import SequenceClassifierHost
from rlattn.rewards import TotalReward

METHODS: Methods = {
    "host_forward": [
        *((LaneDecoder, "step"), (Seq2SeqHost, "encode"), (Seq2SeqHost, "force")),
        *((SequenceClassifierHost, "encode"), (SequenceClassifierHost, "classify")),
    ],
    "policy_forward": [(PointerPolicy, "forward"), (PointerPolicy, "predict_values")],
    "update": [(PPO, "train")],
    "reward": [(TotalReward, "__call__")],
}
"""What takes the time of learning; copying and bookkeeping are the rest."""


class Learning:
    """PPO with the default settings, watched: a few calls in each step are timed.

    Args:
        settings: What the environment is told.
        lanes: How many sentences advance together.
        rollouts: Rollouts, each with its update, in one `learn()`.
    """

    def __init__(self, settings: dict[str, Any], lanes: int, rollouts: int) -> None:
        device = settings["device"]
        self._clock = clock(device)
        core = make_any_core(lanes=lanes, **settings)
        self.ppo = make_ppo(AttentionVecEnv(core), seed=settings["seed"], device=device)
        self._steps = rollouts * self.ppo.n_steps * lanes
        self._seconds = dict.fromkeys(METHODS, 0.0)
        self._whole = 0.0

    def run(self) -> int:
        """One `learn()`; returns the environment steps."""
        with timed(METHODS, self._clock, self._seconds):
            started = self._clock()
            learn(self.ppo, self._steps, [], progress=False)
            self._whole += self._clock() - started
        return self.ppo.num_timesteps

    @property
    def contestant(self) -> Contestant:
        """Learning as a contestant."""
        return Contestant(self.run)

    @property
    def shares(self) -> dict[str, float]:
        """The shares of all time so far, which sum to 1."""
        shares = {label: spent / self._whole for label, spent in self._seconds.items()}
        return {**shares, "copying": 1.0 - sum(shares.values())}
