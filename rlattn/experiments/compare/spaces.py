"""What settings of each learner are tried: what decides most about how fast it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rlattn.experiments.compare.tasks import Task

if TYPE_CHECKING:
    from optuna import Trial


def suggest(learner: str, task: Task, trial: Trial) -> dict[str, Any]:
    """Settings to try.

    Args:
        learner: Any in `SPACES`.
        task: What is learned: where reads are to meet a target, what they cost at most is tried,
            too.
        trial: Suggests.
    """
    settings = SPACES[learner](trial)
    if task.reads is not None and learner in _PRICES:
        settings["reads_price"] = trial.suggest_categorical("reads_price", _PRICES[learner])
    return settings


def first(learner: str, task: Task) -> dict[str, Any]:
    """Settings that a search begins with.

    Args:
        learner: Any in `SPACES`.
        task: What is learned.
    """
    priced = task.reads is not None and learner in _PRICES
    return {**_FIRST[learner], **({"reads_price": _PRICES[learner][1]} if priced else {})}


def _ppo(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        "rollout": trial.suggest_categorical("rollout", [16, 32, 64]),
        "epochs": trial.suggest_categorical("epochs", [2, 4, 8]),
        "batch_size": trial.suggest_categorical("batch_size", [1024, 2048, 4096]),
    }


def _reinforce(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-4, 1e-2, log=True),
        "rollout": trial.suggest_categorical("rollout", [8, 16, 32]),
        "updates": trial.suggest_categorical("updates", [1, 2, 4]),
    }


def _gradient(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-4, 1e-2, log=True),
        "through_time": trial.suggest_categorical("through_time", [False, True]),
        "temperature": trial.suggest_categorical("temperature", [0.5, 1.0, 2.0]),
        "lanes": trial.suggest_categorical("lanes", [8, 16, 64]),
    }


def _indexer(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-4, 1e-2, log=True),
        "warm_up": trial.suggest_categorical("warm_up", [0.1, 0.3, 0.6]),
        "lanes": trial.suggest_categorical("lanes", [8, 16, 64]),
    }


def _weights(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-3, 2e-1, log=True),
        "lanes": trial.suggest_categorical("lanes", [8, 16, 64]),
    }


SPACES: dict[str, Callable[[Trial], dict[str, Any]]] = {
    "gradient": _gradient,
    "indexer": _indexer,
    "weights": _weights,
    "ppo": _ppo,
    "reinforce": _reinforce,
}
"""By learner, what suggests its settings; the other methods take settings from these."""

_FIRST: dict[str, dict[str, Any]] = {
    "gradient": {"learning_rate": 2e-3, "through_time": False, "temperature": 1.0, "lanes": 16},
    "indexer": {"learning_rate": 2e-3, "warm_up": 0.3, "lanes": 16},
    "weights": {"learning_rate": 2e-2, "lanes": 16},
    "ppo": {"learning_rate": 1.5e-3, "rollout": 16, "epochs": 4, "batch_size": 1024},
    "reinforce": {"learning_rate": 1e-3, "rollout": 8, "updates": 1},
}
"""The defaults of the learners; PPO learns faster from shorter rollouts of many lanes."""

_REWARDED = (0.04, 0.08, 0.16)
_PRICES = {"gradient": (0.15, 0.3, 0.6), "ppo": _REWARDED, "reinforce": _REWARDED}
"""The most that reading as much as the target costs: in nats a token, or in probability."""
