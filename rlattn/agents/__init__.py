"""Agents: the policy network under PPO, what watches it learn, and rules to compare it with."""

from __future__ import annotations

from rlattn.agents.callbacks import Validation
from rlattn.agents.gradient import GradientSettings, learn_gradient
from rlattn.agents.indexer import IndexerSettings, learn_indexer
from rlattn.agents.label_gradient import LabelGradientSettings, learn_label_gradient
from rlattn.agents.label_learners import learn_label_ppo
from rlattn.agents.label_validation import LabelPoint, LabelValidator
from rlattn.agents.label_weights import LabelWeights, learn_label_weights
from rlattn.agents.learners import begin_with, learn_ppo
from rlattn.agents.meter import Meter, Spent
from rlattn.agents.oracle import (
    Bound,
    oracle_bound,
    translate_by_oracle,
    translate_by_oracle_gate,
)
from rlattn.agents.ppo import PointerPolicy
from rlattn.agents.reinforce import ReinforceSettings, learn_reinforce
from rlattn.agents.reward_log import RewardLog
from rlattn.agents.training import PPOSettings, learn, make_ppo, trained_policy
from rlattn.agents.validation import Point, Validator
from rlattn.agents.weight_vector import WeightsSettings, WeightVector, learn_weights

__all__ = [
    "Bound",
    "GradientSettings",
    "IndexerSettings",
    "LabelGradientSettings",
    "LabelPoint",
    "LabelValidator",
    "LabelWeights",
    "Meter",
    "PPOSettings",
    "Point",
    "PointerPolicy",
    "ReinforceSettings",
    "RewardLog",
    "Spent",
    "Validation",
    "Validator",
    "WeightVector",
    "WeightsSettings",
    "begin_with",
    "learn",
    "learn_gradient",
    "learn_indexer",
    "learn_label_gradient",
    "learn_label_ppo",
    "learn_label_weights",
    "learn_ppo",
    "learn_reinforce",
    "learn_weights",
    "make_ppo",
    "oracle_bound",
    "trained_policy",
    "translate_by_oracle",
    "translate_by_oracle_gate",
]
