"""From numbers at source positions to numbers for the whole source."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.actions.distributions import DiagonalGaussian


def source_mean(parameters: Tensor, mask: Tensor) -> Tensor:
    """The mean over the valid positions: what concerns the whole source, whatever its length.

    Args:
        parameters: ``[lanes, source, numbers]``.
        mask: True at real source tokens, at least one per lane, ``[lanes, source]``.

    Returns:
        ``[lanes, numbers]``.
    """
    return parameters.masked_fill(~mask[..., None], 0.0).sum(1) / mask.sum(-1, keepdim=True)


def one_normal(parameters: Tensor, mask: Tensor) -> DiagonalGaussian:
    """One number in [-1, 1] for the whole source, with normal noise.

    Args:
        parameters: Its mean and log standard deviation as each position has it,
            ``[lanes, source, 2]``.
        mask: True at real source tokens, ``[lanes, source]``.
    """
    mean, log_std = source_mean(parameters, mask).split_with_sizes([1, 1], dim=-1)
    # Beyond the ends there is nothing to gain; a little room lets the noise be clipped away.
    mean, log_std = mean.clamp(-1.5, 1.5), log_std.clamp(-4.6, 0.0)
    return DiagonalGaussian(mean, log_std, torch.ones_like(mean, dtype=torch.bool))
