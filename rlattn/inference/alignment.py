"""Where a host looked while it wrote one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rlattn.errors import InputError


@dataclass(frozen=True)
class Alignment:
    """Where a host looked while it wrote one sentence, without any padding.

    Attributes:
        source: The S tokens of the source, as people read them; ``▁`` or ``Ġ`` marks the start of a
            word.
        target: The T tokens that were written, likewise.
        attention: What each step used, averaged over layers and heads, ``[T, S]``; each row sums to
            one.
        opened: What each step left open in any layer or head, bool, ``[T, S]``.

    Raises:
        InputError: If the shapes do not go together.
    """

    source: Sequence[str]
    target: Sequence[str]
    attention: npt.NDArray[np.floating]
    opened: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        expected = len(self.target), len(self.source)
        for name in ("attention", "opened"):
            if (found := getattr(self, name).shape) != expected:
                raise InputError(
                    f"{name} is {list(found)}: {expected[0]} target and {expected[1]} source "
                    f"tokens need {list(expected)}"
                )

    @property
    def reads(self) -> npt.NDArray[np.floating]:
        """At each step, open over all positions, float64, ``[T]``."""
        fractions: npt.NDArray[np.floating] = self.opened.mean(axis=1)
        return fractions

    @property
    def reads_fraction(self) -> float:
        """The mean of `reads` over the steps."""
        return float(self.opened.mean())
