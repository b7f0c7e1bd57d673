"""How a text is read in steps; environments and inference take them with the same code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.hosts.classifier import ClassifierHost, EncodedTexts
from rlattn.steering import Allocation


@dataclass(frozen=True)
class Reading:
    """How a text is read.

    Attributes:
        steps: The most allocations of a text.
        stop: Whether gates that open nothing new end it.
    """

    steps: int = 4
    stop: bool = True

    def d_state(self, labels: int) -> int:
        """Width of what a policy sees of the host: of what it says, and of a number of each step.

        Args:
            labels: How many the host tells apart.
        """
        return max(2 * labels + 2, self.steps + 1)

    def numbers(self, labels: int) -> Tensor:
        """What stands for the number of each step, ``[steps + 1, d_state]``: a one at its place."""
        return torch.eye(self.steps + 1, self.d_state(labels))


class Look(NamedTuple):
    """What one step led to.

    Attributes:
        logits: What the host says now, float32, ``[lanes, labels]``.
        new: Positions that were opened, ``[lanes, width]``.
        known: Positions that are open by now, ``[lanes, width]``.
        attention: What a policy sees of where it looked: the new positions alike, ``[lanes,
            width]``.
        state: What it sees of the host, ``[lanes, d_state]``.
        stopped: True where nothing new was opened and that ends the reading, ``[lanes]``.
    """

    logits: Tensor
    new: Tensor
    known: Tensor
    attention: Tensor
    state: Tensor
    stopped: Tensor


def look(
    host: ClassifierHost[Any],
    encoded: EncodedTexts,
    allocation: Allocation,
    opened: Tensor,
    before: Tensor,
    reading: Reading,
) -> Look:
    """Has a host label texts from what is open by now.

    What a gate opened before stays open; of softer allocations the latest one counts.

    Args:
        host: The frozen classifier.
        encoded: The texts, one for each lane.
        allocation: What the actions of this step do.
        opened: What they leave open by themselves, ``[lanes, width]``.
        before: What was open before, ``[lanes, width]``.
        reading: How texts are read.
    """
    new, known = opened & ~before, opened | before
    logits = host.classify(encoded, _with(allocation, before))
    attention = new / new.sum(-1, keepdim=True).clamp(min=1)
    share = (known.sum(-1) / encoded.mask.sum(-1))[:, None]
    numbers = torch.cat([logits.softmax(-1), share], dim=1)
    # Each beside its complement, so that it is not lost when a policy normalises them together.
    both = torch.cat([numbers, 1.0 - numbers], dim=1)
    state = F.pad(both, (0, reading.d_state(logits.shape[1]) - both.shape[1]))
    stops = reading.stop and allocation.mode == "gate"
    stopped = ~new.any(-1) if stops else torch.zeros_like(new[:, 0])
    return Look(logits, new, known, attention, state, stopped)


def _with(allocation: Allocation, before: Tensor) -> Allocation:
    """An allocation with what gates opened before, ``[lanes, width]``, still open."""
    if allocation.mode != "gate":
        return allocation
    opened = before if allocation.values.ndim == 2 else before[:, None, None]
    values = allocation.values
    whole = values | opened if values.dtype == torch.bool else values.masked_fill(opened, 1.0)
    return replace(allocation, values=whole)
