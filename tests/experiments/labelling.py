"""What a classifier might have made of some texts, without one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rlattn.inference.readings import Readings

NAMES = ("animal", "plant", "stone")


def likely(
    probabilities: npt.ArrayLike, names: Sequence[str] = NAMES, reads: float = 1.0
) -> Readings:
    """Each text has the label of the highest probability."""
    rows = np.asarray(probabilities, dtype=np.float32).reshape(-1, len(names))
    return Readings(
        names=tuple(names),
        labels=[names[number] for number in rows.argmax(axis=1)],
        probabilities=rows,
        tokens=[[5]] * len(rows),
        opened=[[1]] * len(rows),
        reads_fraction=[reads] * len(rows),
        truncated=0,
    )


def certain(labels: Sequence[str], names: Sequence[str] = NAMES) -> Readings:
    """Each text has the label that is given, with a probability of 1."""
    return likely(np.eye(len(names))[[names.index(label) for label in labels]], names)
