"""Parts of texts to learn from."""

from __future__ import annotations

import torch
from torch import Tensor


def opened_at_random(mask: Tensor, shut: float) -> Tensor:
    """Shuts tokens of each text, as many as a share that it draws between 0 and `shut` says.

    Args:
        mask: True at real tokens, ``[rows, source]``.
        shut: The largest share.

    Returns:
        True at what stays open, ``[rows, source]``.
    """
    share = shut * torch.rand(len(mask), 1, device=mask.device)
    return mask & (torch.rand(mask.shape, device=mask.device) >= share)
