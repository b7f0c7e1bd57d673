"""Environments: batched cores, and their Gymnasium and Stable-Baselines3 faces."""

from __future__ import annotations

from rlattn.envs.base import Core
from rlattn.envs.classification import ClassificationCore
from rlattn.envs.core import TranslationCore
from rlattn.envs.gym import AttentionEnv, AttentionVectorEnv
from rlattn.envs.registry import TASKS, make_sb3, register_task
from rlattn.envs.sb3 import AttentionVecEnv
from rlattn.envs.tasks import make_classification_core, make_core
from rlattn.envs.transition import Transition

register_task("rlattn/Translate-v0")
register_task("rlattn/TranslatePosition-v0", action="position", reward={"agreement": 1.0})
register_task(
    "rlattn/TranslateBias-v0", action="bias", reward={"likelihood": 1.0}, prefix="reference"
)
register_task("rlattn/Classify-v0", kind="classification")

__all__ = [
    "TASKS",
    "AttentionEnv",
    "AttentionVecEnv",
    "AttentionVectorEnv",
    "ClassificationCore",
    "Core",
    "Transition",
    "TranslationCore",
    "make_classification_core",
    "make_core",
    "make_sb3",
    "register_task",
]
