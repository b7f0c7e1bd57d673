"""Rewards: terms, and their weighted sum."""

from __future__ import annotations

from rlattn.rewards.accuracy import Accuracy
from rlattn.rewards.agreement import Agreement
from rlattn.rewards.base import Reward, SentenceReward
from rlattn.rewards.brier import Brier
from rlattn.rewards.controls import Constant, Control, Shuffled, controlled
from rlattn.rewards.fidelity import Fidelity
from rlattn.rewards.final import Final
from rlattn.rewards.gain import Gain
from rlattn.rewards.likelihood import Likelihood, LogLikelihood
from rlattn.rewards.probability import Probability
from rlattn.rewards.quality import Bleu, Chrf, Exact, Ter
from rlattn.rewards.reading import Coverage, Entropy, Latency, Length, Reads
from rlattn.rewards.registry import REWARDS, make_reward, register_reward, register_scorer
from rlattn.rewards.spread import Spread
from rlattn.rewards.step import Need, Step, Texts
from rlattn.rewards.total import TotalReward
from rlattn.rewards.weights import Schedule, Target, WeightSpec

__all__ = [
    "REWARDS",
    "Accuracy",
    "Agreement",
    "Bleu",
    "Brier",
    "Chrf",
    "Constant",
    "Control",
    "Coverage",
    "Entropy",
    "Exact",
    "Fidelity",
    "Final",
    "Gain",
    "Latency",
    "Length",
    "Likelihood",
    "LogLikelihood",
    "Need",
    "Probability",
    "Reads",
    "Reward",
    "Schedule",
    "SentenceReward",
    "Shuffled",
    "Spread",
    "Step",
    "Target",
    "Ter",
    "Texts",
    "TotalReward",
    "WeightSpec",
    "controlled",
    "make_reward",
    "register_reward",
    "register_scorer",
]
