"""Environments: one batched core, and its Gymnasium and Stable-Baselines3 faces."""

from __future__ import annotations

import gymnasium

from rlattn.envs.core import Transition, TranslationCore
from rlattn.envs.gym import TranslationEnv, TranslationVectorEnv
from rlattn.envs.sb3 import TranslationVecEnv
from rlattn.envs.tasks import make_core

gymnasium.register(
    "rlattn/Translate-v0",
    entry_point="rlattn.envs.gym:TranslationEnv",
    vector_entry_point="rlattn.envs.gym:TranslationVectorEnv",
)

__all__ = [
    "Transition",
    "TranslationCore",
    "TranslationEnv",
    "TranslationVecEnv",
    "TranslationVectorEnv",
    "make_core",
]
