"""The learners' settings: those of a file, or those that were found for everybody's use."""

from __future__ import annotations

import json
from pathlib import Path

from rlattn.errors import InputError
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import Config

TUNED = Path(__file__).with_name("tuned.json")
"""What `--tune` found on locale phrases; `noise`, which these do not know, has that of a budget."""


def read_settings(config: Config) -> Settings:
    """The settings that a comparison works with; a search begins with none.

    Args:
        config: What the program was asked for.

    Returns:
        By learner and objective.

    Raises:
        InputError: If the file that is named cannot be read.
    """
    if config.settings is None and config.tune:
        return {}
    path = TUNED if config.settings is None else config.settings.expanduser()
    try:
        found: Settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"--settings {path}: expected the settings.json that --tune leaves ({error})"
        ) from error
    return found
