"""A stretch of the source: where its middle is, and how long it is."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from rlattn.actions.base import OpeningFamily
from rlattn.actions.distributions import DiagonalGaussian, masked_log_softmax
from rlattn.actions.registry import register_family
from rlattn.actions.whole import source_mean


@register_family
class Window(OpeningFamily):
    """Neighbouring source positions, the same for all layers and heads.

    An action holds the centre, from -1 at the first position to 1 at the last, and the width, from
    -1 for one position to 1 for twice the source, which reads all of it from wherever the centre
    is. The position nearest to the centre is always open.
    """

    name = "window"
    initial = (0.0, 0.5, -1.0)
    chooses_reads = True

    def space(self, source: int) -> gymnasium.Space[Any]:
        """Centre and width."""
        return gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def distribution(self, parameters: Tensor, mask: Tensor) -> DiagonalGaussian:
        """Normal around the positions' mean under their scores, and around a mean width."""
        # A pointer to the centre, so that a position can be found whatever the source's length.
        pointed = masked_log_softmax(parameters[..., 0], mask).exp().masked_fill(~mask, 0.0)
        centre = (pointed * _places(mask)).sum(-1)
        width, log_std = source_mean(parameters[..., 1:], mask).unbind(-1)
        mean = torch.stack([centre, width.clamp(-1.5, 1.5)], dim=-1)
        spread = log_std.clamp(-4.6, 0.0)[:, None].expand(-1, 2)
        return DiagonalGaussian(mean, spread, torch.ones_like(mean, dtype=torch.bool))

    def opened(self, action: Tensor, mask: Tensor) -> Tensor:
        """The positions in the window."""
        centre, width = action.clamp(-1.0, 1.0).unbind(-1)
        length = mask.sum(-1)
        middle = (centre + 1) / 2 * (length - 1)
        reach = (width + 1) / 2 * length
        positions = torch.arange(mask.shape[1], device=mask.device)
        nearest = positions == middle.round()[:, None]
        inside = (positions - middle[:, None]).abs() <= reach[:, None]
        return (nearest | inside) & mask


def _places(mask: Tensor) -> Tensor:
    """Where each position lies from -1 to 1, ``[lanes, source]``; 0 where there is but one."""
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask.sum(-1, keepdim=True) - 1).float()
    return torch.where(last > 0, 2 * positions / last.clamp(min=1) - 1, 0.0)
