"""What one step of all lanes leads to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

View = dict[str, Tensor]
"""What lanes see, by name."""


@dataclass(frozen=True)
class Transition:
    """What one step of all lanes led to.

    Attributes:
        view: What each lane sees next; lanes that finished see their next sentence.
        reward: ``[lanes]``.
        terminated: The sentence came to its end, ``[lanes]``.
        truncated: The sentence was cut at the length limit, ``[lanes]``.
        final_view: What finished lanes saw at their end, one row each in the order of the lanes;
            None when no lane finished.
        summaries: One for each finished lane, in the order of the lanes.
        token: What was written, int64, ``[lanes]``.
        opened: What the action left open of the source, bool, ``[lanes, source]``, over the longest
            source of the moment.
    """

    view: View
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_view: View | None
    summaries: list[dict[str, float]]
    token: np.ndarray
    opened: Tensor
