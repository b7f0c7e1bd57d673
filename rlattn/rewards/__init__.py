"""Rewards: terms, and their weighted sum."""

from __future__ import annotations

from rlattn.rewards.agreement import Agreement
from rlattn.rewards.base import REWARDS, Need, Reward, SentenceReward, Step, register_reward
from rlattn.rewards.fidelity import Fidelity
from rlattn.rewards.likelihood import Likelihood
from rlattn.rewards.quality import Bleu, Chrf
from rlattn.rewards.reads import Reads, ReadsTarget
from rlattn.rewards.total import TotalReward

__all__ = [
    "REWARDS",
    "Agreement",
    "Bleu",
    "Chrf",
    "Fidelity",
    "Likelihood",
    "Need",
    "Reads",
    "ReadsTarget",
    "Reward",
    "SentenceReward",
    "Step",
    "TotalReward",
    "register_reward",
]
