"""Rationales of given sizes, from scores of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from rlattn.errors import InputError

Rationale: TypeAlias = Sequence[int] | npt.NDArray[np.bool_]
"""For each of a text's tokens, whether it is in the rationale: not 0 if it is, as in
`rlattn.inference.readings.Readings.opened`."""

Scores: TypeAlias = npt.NDArray[np.float32]
"""A number for each of a text's tokens; the higher, the sooner it is in a rationale."""


def top(scores: Sequence[Scores], sizes: Sequence[int]) -> list[npt.NDArray[np.bool_]]:
    """The tokens with the highest scores; of those with the same one, the earlier.

    Args:
        scores: Of each text's tokens.
        sizes: How many tokens the rationale of each text has.

    Returns:
        For each text True at the tokens of its rationale.

    Raises:
        InputError: If there are not as many sizes as texts, a text has fewer tokens than its
            rationale is to have, or a score is not a number.
    """
    if len(scores) != len(sizes):
        raise InputError(
            f"{len(scores)} texts have scores and {len(sizes)} a size: give both to all"
        )
    rationales = []
    for text, (row, size) in enumerate(zip(scores, sizes, strict=True)):
        if not 0 <= size <= len(row):
            raise InputError(
                f"the rationale of text {text} is to have {size} of its {len(row)} tokens: "
                f"give a size from 0 to {len(row)}"
            )
        if np.isnan(row).any():
            raise InputError(
                f"the scores of text {text} are not all numbers: give one to each token"
            )
        rationale = np.zeros(len(row), bool)
        # Stable, so that of equal scores the earlier one stays before the later.
        rationale[np.argsort(-row, kind="stable")[:size]] = True
        rationales.append(rationale)
    return rationales
