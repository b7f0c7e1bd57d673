"""What can be checked of a training's settings before anything is loaded."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rlattn.console.cli import check_counts, check_device, flag, import_modules
from rlattn.console.options import check_types
from rlattn.errors import InputError
from rlattn.experiments.outputs import check_output


class Resumable(Protocol):
    """What the settings of every experiment say that can be gone on with."""

    @property
    def resume(self) -> Path | None:
        """The folder to go on in, or None for a new one."""


class TrainingConfig(Resumable, Protocol):
    """What the settings of every training say."""

    @property
    def learning_rate(self) -> float:
        """Learning rate of PPO at the start."""

    @property
    def gamma(self) -> float | None:
        """Discount, or None for what suits."""

    @property
    def seed(self) -> int:
        """Seed of everything that is random."""

    @property
    def device(self) -> str:
        """Where host and policy run."""

    @property
    def imports(self) -> Sequence[str]:
        """Python modules to import first."""

    @property
    def out(self) -> Path | None:
        """The folder for the results, or None for one that is named after the time."""

    @property
    def checkpoint_minutes(self) -> float:
        """How much time passes between two checkpoints."""


def check_training(config: TrainingConfig, *counts: str, name: str) -> Path:
    """Checks numbers and device, imports modules, and names the out folder.

    Args:
        config: The settings.
        counts: Attributes that are at least 1.
        name: What an out folder without a name is called, before the time.

    Raises:
        InputError: If a number is out of range, the device is not there, or the folder is taken.
            The one of a run that is resumed is not.
    """
    check_types(config)
    check_counts(config, *counts)
    check_above_0("learning_rate", config.learning_rate)
    if config.gamma is not None and not 0 <= config.gamma <= 1:
        raise InputError(f"--gamma {config.gamma}: expected a number from 0 to 1")
    if not 0 <= config.seed < 2**32:
        raise InputError(f"--seed {config.seed}: expected a number from 0 to {2**32 - 1}")
    if not (math.isfinite(config.checkpoint_minutes) and config.checkpoint_minutes >= 0):
        raise InputError(
            f"--checkpoint-minutes {config.checkpoint_minutes}: expected a number, at least 0"
        )
    check_device(config.device)
    import_modules(config.imports)
    if config.resume is not None:
        return config.resume
    return check_output(config.out or Path("runs") / time.strftime(f"{name}-%Y%m%d-%H%M%S"))


def check_above_0(name: str, number: float) -> None:
    """Makes sure that a setting is a number above 0.

    Raises:
        InputError: If it is not.
    """
    # A whole number may be larger than any other.
    if not 0 < number < math.inf:
        raise InputError(f"{flag(name)} {number}: expected a number above 0")
