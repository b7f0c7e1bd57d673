"""Attention under a gate that all layers and heads share: the path of a policy's every step."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.steering.attention import refuse


def gate_bias(values: Tensor, mask: Tensor | None, heads: int, dtype: torch.dtype) -> Tensor:
    """What a gate adds in every layer of a forward, for `biased_weights`.

    Together they give what `steered_weights` gives, in fewer passes.

    Args:
        values: True where open, bool, `[lanes, source]`.
        mask: None, bool (True = may be read) or additive float; broadcasts to
            `[lanes, 1, queries, source]`.
        heads: Number of heads of a layer.
        dtype: Of the queries.

    Returns:
        `[lanes * heads, queries or 1, source]`.

    Raises:
        SteeringError: If a lane has no valid position open.
    """
    is_open = values[:, None, None, :]
    added = torch.zeros((), dtype=dtype, device=values.device)
    if mask is not None and mask.dtype == torch.bool:
        is_open = is_open & mask
    elif mask is not None:
        is_open, added = is_open & (mask > torch.finfo(mask.dtype).min / 2), mask.to(dtype)
    refuse(~is_open.any(-1, keepdim=True), None, "a gate with no valid position open")
    # The smallest finite number gives a weight of exactly zero beside any real logit.
    return per_head(torch.where(is_open, added, torch.finfo(dtype).min), heads)


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
