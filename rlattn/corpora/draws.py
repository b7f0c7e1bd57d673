"""Seeded draws that give the same values in every process and under every Python version."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Draw:
    """A stream of uniform draws that depends on its key alone.

    Only `Random.random` is used: its sequence for a seed is the one that Python promises to keep.

    Args:
        key: Numbers and strings that name the stream.
    """

    def __init__(self, *key: int | str) -> None:
        self._random = Random("/".join(map(str, key))).random

    def below(self, stop: int) -> int:
        """Return an integer from 0 to `stop - 1`."""
        return int(self._random() * stop)

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self._random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Return one of the items."""
        return items[int(self._random() * len(items))]

    def several(self, items: Sequence[T], count: int) -> list[T]:
        """Return different items, `count` of them or as many as there are, in random order."""
        positions: dict[int, None] = {}
        while len(positions) < min(count, len(items)):
            positions[self.below(len(items))] = None
        return [items[position] for position in positions]
