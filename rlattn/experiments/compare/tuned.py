"""The learners' settings: those of a file, or those that were found for everybody's use."""

from __future__ import annotations

import json

from rlattn.errors import InputError
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import AnyConfig


def read_settings(config: AnyConfig) -> Settings:
    """The settings that a comparison works with; a search begins with none.

    Args:
        config: What the program was asked for.

    Returns:
        By learner and objective.

    Raises:
        InputError: If the file that is named cannot be read.
    """
    tuned = problem_of(config).tuned
    if config.settings is None and (config.tune or tuned is None):
        return {}
    path = tuned if config.settings is None else config.settings.expanduser()
    assert path is not None
    try:
        found: Settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"--settings {path}: expected the settings.json that --tune leaves ({error})"
        ) from error
    return found
