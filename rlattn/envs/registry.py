"""Tasks with a Gymnasium id: a name and a version, and settings that are plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import gymnasium

from rlattn.envs.sb3 import AttentionVecEnv
from rlattn.envs.tasks import Kind, check_settings, make_any_core
from rlattn.errors import InputError, closest

_ID = re.compile(r"[\w-]+/[\w.-]+-v\d+")
_tasks: dict[str, Mapping[str, Any]] = {}

TASKS: Mapping[str, Mapping[str, Any]] = MappingProxyType(_tasks)
"""The settings of every task that was registered, by its id."""


def register_task(id: str, *, kind: Kind = "translation", **defaults: Any) -> None:
    """Gives a task an id, under which Gymnasium makes single and vector environments of it.

    Args:
        id: ``namespace/Name-vN``.
        kind: ``"translation"`` or ``"classification"``.
        **defaults: Settings of `rlattn.envs.make_core`, or of
            `rlattn.envs.make_classification_core`, but for `lanes`; each is plain data, as
            JSON has it. Whoever makes the environment can change them by name.

    Raises:
        InputError: If the id has another form or is taken, or a setting is unknown or not plain
            data.
    """
    if not _ID.fullmatch(id):
        raise InputError(f"id {id!r}: expected namespace/Name-vN, such as mine/Translate-v0")
    if id in gymnasium.registry:
        raise InputError(f"id {id!r} is taken: choose another name, or the next version")
    if "lanes" in defaults:
        raise InputError(
            "lanes are not part of a task: give gymnasium.make_vec num_envs, or make_sb3 lanes"
        )
    check_settings(defaults, kind)
    for name, value in defaults.items():
        if not is_plain(value):
            raise InputError(
                f"{name}={value!r}: expected what JSON can hold, so that the id says all of it"
            )
    settings = defaults if kind == "translation" else {"kind": kind, **defaults}
    _tasks[id] = MappingProxyType(dict(settings))
    gymnasium.register(
        id,
        entry_point="rlattn.envs.gym:AttentionEnv",
        vector_entry_point="rlattn.envs.gym:AttentionVectorEnv",
        kwargs=dict(settings),
    )


def make_sb3(
    id: str,
    lanes: int = 64,
    *,
    handles: bool = True,
    render_mode: str | None = None,
    **settings: Any,
) -> AttentionVecEnv:
    """The Stable-Baselines3 environment of a task.

    Args:
        id: As it was registered.
        lanes: How many sentences advance together.
        handles: See `AttentionVecEnv`.
        render_mode: Likewise.
        **settings: What is to differ from the task's own settings.

    Raises:
        InputError: If there is no such task, or a setting cannot be used.
    """
    if id not in TASKS:
        raise InputError(f"unknown task {id!r}: {closest(id, TASKS)}")
    core = make_any_core(**{**TASKS[id], **settings}, lanes=lanes)
    return AttentionVecEnv(core, handles=handles, render_mode=render_mode)


def is_plain(value: Any) -> bool:
    """Whether JSON gives it back as it was."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False
