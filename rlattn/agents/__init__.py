"""Agents: the policy network under PPO, what watches it learn, and rules to compare it with."""

from __future__ import annotations

from rlattn.agents.callbacks import Point, Validation
from rlattn.agents.heuristics import translate_topk
from rlattn.agents.ppo import PointerPolicy
from rlattn.agents.reward_log import RewardLog
from rlattn.agents.training import PPOSettings, learn, make_ppo, trained_policy

__all__ = [
    "PPOSettings",
    "Point",
    "PointerPolicy",
    "RewardLog",
    "Validation",
    "learn",
    "make_ppo",
    "trained_policy",
    "translate_topk",
]
