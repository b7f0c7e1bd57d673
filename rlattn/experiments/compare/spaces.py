"""What settings of each learner are tried: what decides most about how fast it learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlattn.experiments.compare.tasks import Task

if TYPE_CHECKING:
    from optuna import Trial


@dataclass(frozen=True)
class Space:
    """What settings of a learner are tried.

    Attributes:
        suggest: Suggests settings.
        defaults: The learner's own, which a search begins with.
        prices: What reads may cost at most where they have a target, the second one first; none
            where nothing is paid for them.
    """

    suggest: Callable[[Trial], dict[str, Any]]
    defaults: Mapping[str, Any]
    prices: tuple[float, ...] = ()

    def tried(self, task: Task, trial: Trial) -> dict[str, Any]:
        """Settings to try on a task; where reads are to meet a target, their price, too."""
        settings = self.suggest(trial)
        if self._paid(task):
            settings["reads_price"] = trial.suggest_categorical("reads_price", self.prices)
        return settings

    def first(self, task: Task) -> dict[str, Any]:
        """Settings that a search on a task begins with."""
        return {**self.defaults, **({"reads_price": self.prices[1]} if self._paid(task) else {})}

    def _paid(self, task: Task) -> bool:
        return task.reads is not None and bool(self.prices)


def ppo_space(trial: Trial) -> dict[str, Any]:
    """What of PPO is tried for any host."""
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


def weights_space(trial: Trial) -> dict[str, Any]:
    """What of a weight vector is tried for any host."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-3, 2e-1, log=True),
        "lanes": trial.suggest_categorical("lanes", [8, 16, 64]),
    }


_REWARDED = (0.04, 0.08, 0.16)
"""The most that reading as much as the target costs, in probability; by gradients in nats a token.
"""

SPACES: Mapping[str, Space] = {
    "gradient": Space(
        _gradient,
        {"learning_rate": 2e-3, "through_time": False, "temperature": 1.0, "lanes": 16},
        (0.15, 0.3, 0.6),
    ),
    "indexer": Space(_indexer, {"learning_rate": 2e-3, "warm_up": 0.3, "lanes": 16}),
    "weights": Space(weights_space, {"learning_rate": 2e-2, "lanes": 16}),
    # PPO learns faster from shorter rollouts of many lanes.
    "ppo": Space(
        ppo_space,
        {"learning_rate": 1.5e-3, "rollout": 16, "epochs": 4, "batch_size": 1024},
        _REWARDED,
    ),
    "reinforce": Space(_reinforce, {"learning_rate": 1e-3, "rollout": 8, "updates": 1}, _REWARDED),
}
"""By learner, what is tried of its settings; the other methods take settings from these."""
