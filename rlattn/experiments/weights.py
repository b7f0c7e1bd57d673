"""Weights of reward terms as a user types them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rlattn.errors import InputError

_FORMS = "a finite number, START:END:STEPS or target:NUMBER"


def parse_weights(items: Sequence[str]) -> dict[str, float | dict[str, Any]]:
    """Reads ``name=weight`` items, such as ``fidelity=1 reads=-0.5``.

    A weight may also be a schedule, ``reads=-0.1:-0.5:100000``, or a target,
    ``latency=target:0.3``.

    Args:
        items: The items; one may hold several, separated by spaces.

    Returns:
        The weights by name, in the order given, as `rlattn.rewards.TotalReward` takes them. The
        names are not checked here.

    Raises:
        InputError: If an item has another form, a weight is not finite, or a name comes twice.
    """
    weights: dict[str, float | dict[str, Any]] = {}
    for item in " ".join(items).split():
        name, equals, weight = item.partition("=")
        if not (name and equals):
            raise InputError(f"reward {item!r} should be name=weight, for example fidelity=1")
        if name in weights:
            raise InputError(f"reward {name!r} is given twice: give each name one weight")
        try:
            weights[name] = _weight(weight.split(":"))
        except ValueError:
            raise InputError(f"reward {item!r} should have {_FORMS} as its weight") from None
    return weights


def _weight(parts: list[str]) -> float | dict[str, Any]:
    match parts:
        case [number]:
            return _finite(number)
        case ["target", number]:
            return {"target": _finite(number)}
        case [start, end, steps]:
            return {"start": _finite(start), "end": _finite(end), "steps": int(steps)}
    raise ValueError(parts)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def take_reads_target(
    weights: dict[str, float | dict[str, Any]], target: float | None
) -> tuple[dict[str, float | dict[str, Any]], float | None]:
    """The other weights, and the target of the reads, in whichever way that was given.

    Args:
        weights: As `parse_weights` reads them.
        target: What ``--reads-target`` says.

    Raises:
        InputError: If it is given in both ways.
    """
    match weights.get("reads"):
        case {"target": number} if target is None:
            target = number
            weights = {name: weight for name, weight in weights.items() if name != "reads"}
        case {"target": _}:
            raise InputError("--reads-target and reads=target:NUMBER say the same: give one")
    return weights, target
