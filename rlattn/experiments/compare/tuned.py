"""The learners' settings: those of a file, or those that were found for everybody's use."""

from __future__ import annotations

from typing import Any

from rlattn.errors import InputError, explained
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import AnyConfig
from rlattn.storage.jsonfiles import read_object, shown


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
    with explained(f"--settings {path}: expected the settings.json that --tune leaves"):
        found: Settings = read_object(path)
        for learner, objectives in found.items():
            for objective, settings in _object(objectives, learner).items():
                where = f"{learner}: {objective}"
                for name, value in _object(settings, where).items():
                    if not isinstance(value, bool | int | float | str | None):
                        raise InputError(f"{where}: {name}: found {shown(value)}, expected a value")
    return found


def _object(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InputError(f"{where}: found {shown(data)}, expected an object with fields")
    return data
