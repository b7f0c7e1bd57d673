"""What a classifier made of some texts, and what it read of them in which order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Readings:
    """What a host made of some texts, in the order of the texts.

    Attributes:
        names: What the host tells apart, in the order of the columns of `probabilities`.
        labels: The label of each text.
        probabilities: Of each label, float32, ``[texts, labels]``.
        tokens: Each text's tokens as token ids, without special ones.
        opened: For each of these tokens the step that opened it, which counts from 1; 0 where it
            was not read. Its rationale is what is not 0.
        reads_fraction: For each text, how many of its tokens were read, as a fraction.
        truncated: How many texts were longer than allowed, and cut.
    """

    names: tuple[str, ...]
    labels: list[str]
    probabilities: npt.NDArray[np.float32]
    tokens: list[list[int]]
    opened: list[list[int]]
    reads_fraction: list[float]
    truncated: int
