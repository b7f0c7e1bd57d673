"""Attention weights under a bias that says all: the path of a policy's every step."""

from __future__ import annotations

import torch
from torch import Tensor


def per_head(bias: Tensor, heads: int) -> Tensor:
    """A bias `[lanes, 1, queries, source]` as `biased_weights` takes it."""
    return bias.expand(-1, heads, -1, -1).flatten(0, 1)


def biased_weights(
    bias: Tensor,
    query: Tensor,
    key: Tensor,
    position_bias: Tensor | None,
    scaling: float | None,
) -> Tensor:
    """Attention weights in as few passes as there can be.

    Args:
        bias: Added to the scaled dot products, `[lanes * heads, queries, source]`; everything
            that may not be read is at the smallest finite number there.
        query: `[lanes, heads, queries, head_dim]`.
        key: `[lanes, heads, source, head_dim]`.
        position_bias: None or additive, broadcasts to `[lanes, heads, queries, source]` (T5).
        scaling: Factor on the dot product; None for `head_dim ** -0.5`.

    Returns:
        `[lanes, heads, queries, source]`, float32 or wider.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    keys = key.flatten(0, 1).transpose(1, 2)
    logits = torch.baddbmm(bias, query.flatten(0, 1), keys, alpha=scale)
    logits = logits.view(*query.shape[:3], key.shape[2])
    if logits.dtype in (torch.float16, torch.bfloat16):
        # Half precision would blur the softmax; fused kernels widen here too.
        logits = logits.float()
    if position_bias is not None:
        logits = logits + position_bias
    return logits.softmax(-1)
