"""What the configuration of any training has to keep, and its budget in words."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any, TypeVar

from rlattn.errors import InputError
from rlattn.hosts.descent import Rates

Config = TypeVar("Config", bound=Any)
"""A dataclass that has `max_steps` and `max_minutes`."""


def check_above_0(config: object, *names: str) -> None:
    """Refuses values that are not above 0; None is no value."""
    for name in names:
        value = getattr(config, name)
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"{name} is {value}; it must be a number above 0")


def check_shares(config: object, *names: str) -> None:
    """Refuses values that are not in [0, 1)."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise InputError(f"{name} is {getattr(config, name)}; it must be in [0, 1)")


def check_rates(config: Rates) -> None:
    """Refuses a training that never ends, or learns at no rate."""
    check_above_0(config, "learning_rate", "max_steps", "max_minutes")
    check_shares(config, "warmup")
    if config.max_steps is None and config.max_minutes is None:
        raise InputError("training would never end; give max_steps, max_minutes or both")


def with_budget(config: Config, text: str) -> Config:
    """A configuration with the budget that stands behind ``builtin:``.

    Raises:
        InputError: If it is no budget.
    """
    if not text:
        return config
    if not re.fullmatch(r"(\d+steps|\d+(?:\.\d+)?min)", text):
        raise InputError(
            f"host builtin:{text}: expected a budget such as builtin:300steps or builtin:5min"
        )
    if text.endswith("min"):
        return dataclasses.replace(config, max_minutes=float(text.removesuffix("min")))
    return dataclasses.replace(config, max_steps=int(text.removesuffix("steps")), max_minutes=None)
