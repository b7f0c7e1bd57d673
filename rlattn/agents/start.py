"""Where gates begin, where what they open adds up over the steps of an episode."""

from __future__ import annotations

import torch

from rlattn.actions import Gate
from rlattn.policy import AttentionPolicy

HALF = 0.5
"""What gates read at first where reads have no target."""


def begin_at(policy: AttentionPolicy, reads: float, steps: int) -> None:
    """Has gates begin with as much as may be read, spread evenly over an episode.

    Gates that are mostly open have read everything after a step or two, whatever they learn: then
    nothing tells which of them was worth it. Policies of other actions stay as they are.

    Args:
        policy: A new one; it is changed.
        reads: The fraction of the source to read in an episode.
        steps: The allocations of an episode.
    """
    family = policy.family
    if isinstance(family, Gate) and 0 < reads < 1:
        with torch.no_grad():
            policy.score.bias.fill_(family.score_of(1 - (1 - reads) ** (1 / steps)))
