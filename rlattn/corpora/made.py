"""Pairs that are made rather than read: any number, at no cost until they are asked for."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, overload

import babel
from babel.core import get_cldr_version

from rlattn.corpora.base import Pair, ParallelCorpus
from rlattn.errors import InputError


class MadePairs(Sequence[Pair], ABC):
    """One split of a corpus whose pair at an index depends on the settings and the index alone.

    Args:
        settings: The arguments of the class, from which a copy is made.
        size: Number of pairs.
        kept: How many pairs are kept once they are made.
    """

    def __init__(self, settings: tuple[Any, ...], size: int, kept: int) -> None:
        self._settings, self._size = settings, size
        self._made = lru_cache(maxsize=kept)(self._make)

    @property
    def labels(self) -> frozenset[str] | None:
        """The targets that its pairs have, where these are few and known without making them."""
        return None

    @abstractmethod
    def _make(self, index: int) -> Pair:
        """Return the pair at an index from 0 to the size."""

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self._made(position) for position in range(*index.indices(self._size))]
        return self._made(range(self._size)[index])

    def __iter__(self) -> Iterator[Pair]:
        return map(self._made, range(self._size))

    def __reduce__(self) -> tuple[type[MadePairs], tuple[Any, ...]]:
        return type(self), self._settings


def made_corpus(
    name: str,
    settings: Mapping[str, object],
    sizes: Mapping[str, int],
    split: Callable[[str, int], MadePairs],
) -> ParallelCorpus:
    """Return a corpus that is made from its settings and the CLDR's words.

    Args:
        name: Its name.
        settings: All that its pairs depend on, besides the sizes and the version of the CLDR.
        sizes: Number of pairs of `train`, `valid` and `test`.
        split: Gives the pairs of a split of a size.

    Raises:
        InputError: If a size is not positive.
    """
    for part, size in sizes.items():
        if size < 1:
            raise InputError(f"{part}_size is {size}; each split needs a pair at least")
    told = {
        **settings,
        "babel": babel.__version__,
        "cldr": get_cldr_version(),
        "sizes": dict(sizes),
    }
    return ParallelCorpus(
        name=name,
        dropped=0,
        fingerprint=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        **{part: split(part, size) for part, size in sizes.items()},
    )
