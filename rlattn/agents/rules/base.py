"""What a rule is: something that says where to look and needs no learning."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from torch import Tensor

from rlattn.steering import Allocation
from rlattn.steering.attention import Normalise


class Seen(NamedTuple):
    """What a rule may know of the lanes at one step.

    Attributes:
        step: How many tokens each lane has written.
        mask: True at real source tokens, ``[lanes, source]``.
        counts: How many positions of each source to keep, int64, ``[lanes]``; 0 unless the rule
            has `reads`.
        keys: A number made of each source's tokens, uint64, ``[lanes]``: what is drawn with it
            depends on the sentence and not on the batch.
        native: Where the host looks of its own accord after what was written so far, mean over
            layers and heads, ``[lanes, source]``; None unless the rule needs it.
    """

    step: int
    mask: Tensor
    counts: Tensor
    keys: np.ndarray
    native: Tensor | None


class Rule(ABC):
    """A rule that says where a host looks, and needs no learning.

    Attributes:
        name: What users call it.
        needs_native: Whether it needs a full native pass over the same prefix before each step. It
            then first computes the attention that it throws away.
        reads: The mean over sentences of open over valid positions, where it is a number to be
            met; None where it is not.
        normalise: What stands in the place of the softmax of every layer and head; None where
            nothing does.
    """

    name: str
    needs_native: bool = False
    reads: float | None = None
    normalise: Normalise | None = None

    @abstractmethod
    def allocation(self, seen: Seen) -> Allocation | None:
        """What the cross-attention follows at the next step; None for native logits.

        Args:
            seen: What is known of the lanes.
        """
