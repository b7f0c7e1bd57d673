"""Where a frozen model looks, learned: attention policies by reinforcement learning.

Importing the package registers its tasks with Gymnasium: ``rlattn/Translate-v0``,
``rlattn/Classify-v0`` and others.
"""

from __future__ import annotations

from rlattn import envs as envs
from rlattn.envs import make_sb3, register_task
from rlattn.hosts import load_host
from rlattn.inference import TrainedPolicy, load, push_to_hub

__version__ = "0.1.0"

__all__ = ["TrainedPolicy", "load", "load_host", "make_sb3", "push_to_hub", "register_task"]
