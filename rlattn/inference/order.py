"""Which sources go through a host together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rlattn.hosts.seq2seq import Tokenized


def by_length(sources: Tokenized, size: int) -> Iterator[list[int]]:
    """Which sources go together: those of like length, for a batch is as slow as its longest.

    Args:
        sources: All sources.
        size: How many go together at most.

    Yields:
        Indices of sources.
    """
    order = iter(sorted(range(len(sources.ids)), key=lambda i: len(sources.ids[i])))
    while here := list(islice(order, size)):
        yield here
