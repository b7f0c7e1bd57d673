"""What settings of each learner on a classifier are tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rlattn.experiments.compare.spaces import Space, ppo_space, weights_space

if TYPE_CHECKING:
    from optuna import Trial


def _gradient(trial: Trial) -> dict[str, Any]:
    return {
        "learning_rate": trial.suggest_float("learning_rate", 2e-4, 1e-2, log=True),
        "temperature": trial.suggest_categorical("temperature", [0.5, 1.0, 2.0]),
        "lanes": trial.suggest_categorical("lanes", [16, 64, 256]),
    }


_PRICES = (0.08, 0.15, 0.3)
"""The most that reading as much as the target costs, in probability; by gradients in nats."""

LABEL_SPACES: Mapping[str, Space] = {
    "gradient": Space(_gradient, {"learning_rate": 2e-3, "temperature": 1.0, "lanes": 16}, _PRICES),
    "weights": Space(weights_space, {"learning_rate": 2e-2, "lanes": 16}),
    "ppo": Space(
        ppo_space,
        {"learning_rate": 1.5e-3, "rollout": 16, "epochs": 4, "batch_size": 1024},
        _PRICES,
    ),
}
"""By learner, what is tried of its settings; the other methods take settings from these."""
