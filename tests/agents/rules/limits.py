"""How long sources and targets of tiny hosts may be, and what a rule may see in a test."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rlattn.agents.rules import Seen
from tests.hosts.tiny import SOURCE, TARGET

LIMITS = {"max_source": SOURCE, "max_target": TARGET}


def seen(mask: Tensor, step: int = 0, counts: list[int] | None = None, **more: object) -> Seen:
    """What a rule sees of lanes with these sources."""
    kept = torch.tensor(counts or [0] * len(mask))
    keys = np.arange(len(mask), dtype=np.uint64)
    return Seen(
        **{"step": step, "mask": mask, "counts": kept, "keys": keys, "native": None, **more}
    )


def lengths(*each: int) -> Tensor:
    """The mask of sources of these lengths."""
    return torch.arange(max(each)) < torch.tensor(each)[:, None]
