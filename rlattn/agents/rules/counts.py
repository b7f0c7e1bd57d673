"""How many positions of each source to keep, so that all read a given share on average."""

from __future__ import annotations

import numpy as np

from rlattn.errors import InputError


def check_share(value: float, what: str) -> float:
    """A share of a whole, as it is.

    Args:
        value: What was given.
        what: What it is the share of, and of what rule, for the message.

    Raises:
        InputError: If it is not above 0 and at most 1.
    """
    if not 0 < value <= 1:
        raise InputError(f"{what} of {value:g}: expected a share above 0 and at most 1")
    return value


def counts_for(lengths: np.ndarray, reads: float) -> np.ndarray:
    """How many positions of each source to keep, so that all read `reads` on average.

    Args:
        lengths: Source lengths in tokens, ``[sentences]``.
        reads: The mean over sentences of kept over valid positions to reach, in (0, 1].

    Returns:
        At least one position per sentence, ``[sentences]``; the mean is the smallest reachable
        that is not below `reads`, so that a comparison never favours the other side.
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        enough = np.mean(_kept(lengths, middle) / lengths) >= reads
        low, high = (low, middle) if enough else (middle, high)
    return _kept(lengths, high)


def _kept(lengths: np.ndarray, fraction: float) -> np.ndarray:
    return np.clip(np.rint(fraction * lengths), 1, lengths).astype(np.int64)
