"""Weights of reward terms as a user types them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rlattn.errors import InputError


def parse_weights(items: Sequence[str]) -> dict[str, float]:
    """Reads ``name=weight`` items, such as ``fidelity=1 reads=-0.5``.

    Args:
        items: The items; one may hold several, separated by spaces.

    Returns:
        The weights by name, in the order given. The names are not checked here.

    Raises:
        InputError: If an item has another form, a weight is not finite, or a name comes twice.
    """
    weights: dict[str, float] = {}
    for item in " ".join(items).split():
        name, equals, number = item.partition("=")
        if not (name and equals):
            raise InputError(f"reward {item!r} should be name=weight, for example fidelity=1")
        if name in weights:
            raise InputError(f"reward {name!r} is given twice: give each name one weight")
        try:
            weight = float(number)
        except ValueError:
            weight = math.nan
        if not math.isfinite(weight):
            raise InputError(f"reward {item!r} should have a finite number as its weight")
        weights[name] = weight
    return weights
