"""Attention weights, native and steered, computed in the open."""

from __future__ import annotations

import torch
from torch import Tensor

from rlattn.errors import SteeringError
from rlattn.steering.allocation import Allocation


def attention_logits(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    position_bias: Tensor | None,
    scaling: float | None,
) -> tuple[Tensor, Tensor | None]:
    """Scaled dot products with everything added that the model adds, and what may be read.

    Args:
        query: `[lanes, heads, queries, head_dim]`.
        key: `[lanes, heads, source, head_dim]`.
        mask: None, bool (True = may be read) or additive float; broadcasts to
            `[lanes, heads, queries, source]`.
        position_bias: None or additive, broadcasts to `[lanes, heads, queries, source]` (T5).
        scaling: Factor on the dot product; None for `head_dim ** -0.5`.

    Returns:
        The logits, `[lanes, heads, queries, source]`, float32 or wider, and the valid positions,
        bool, broadcastable to the same shape, or None where all are valid.
    """
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    logits = torch.matmul(query, key.transpose(-1, -2)) * scale
    # Half precision would blur the softmax; fused kernels widen here too.
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    if position_bias is not None:
        logits = logits + position_bias
    if mask is None or mask.dtype == torch.bool:
        return logits, mask
    return logits + mask, mask > torch.finfo(mask.dtype).min / 2


def native_weights(logits: Tensor, valid: Tensor | None) -> Tensor:
    """The model's own attention weights.

    Args:
        logits: `[lanes, heads, queries, source]`.
        valid: bool, broadcastable to the shape of `logits`, or None where all may be read.

    Returns:
        Weights of the shape of `logits` that sum to one over the source.
    """
    if valid is not None:
        # The smallest finite number gives a weight of exactly zero beside any real logit, and
        # no NaN where a lane has nothing to read.
        logits = torch.where(valid, logits, torch.finfo(logits.dtype).min)
    return logits.softmax(-1)


def steered_weights(
    logits: Tensor,
    valid: Tensor | None,
    allocation: Allocation,
    layer: int,
    heads: Tensor | None,
    *,
    check: bool,
) -> Tensor:
    """The attention weights of one layer under an allocation.

    Args:
        logits: `[lanes, heads, queries, source]`.
        valid: bool, broadcastable to the shape of `logits`, or None where all may be read.
        allocation: What to apply; its shapes fit `logits`.
        layer: Index of this layer among the model's cross-attention layers.
        heads: bool `[heads]`, the heads to steer; None steers all of them.
        check: Whether to look for lanes that the allocation leaves undefined.

    Returns:
        Weights of the shape of `logits` that sum to one over the source.

    Raises:
        SteeringError: If `check` finds such a lane; names it.
    """
    values = allocation.for_layer(layer)
    if allocation.mode == "bias":
        if check:
            refuse(~(values.isfinite() | _shut(valid)), heads, "a bias that is not finite")
        steered = native_weights(logits + values, valid)
    elif allocation.mode == "scale":
        if check:
            proper = values.isfinite() & (values > 0)
            refuse(~(proper | _shut(valid)), heads, "a scale that is not finite or not above 0")
        # Masks hold numbers so low that a factor, or its gradient, would not be finite.
        readable = logits if valid is None else torch.where(valid, logits, 0.0)
        steered = native_weights(readable * values, valid)
    elif allocation.mode == "gate":
        is_open = values if valid is None else values & valid
        if check:
            refuse(~is_open.any(-1, keepdim=True), heads, "a gate with no valid position open")
        steered = native_weights(logits, is_open)
    else:
        steered = _share(values.to(logits.dtype), valid, heads, check=check)
        if allocation.weight is not None:
            weight = allocation.weight_for_layer(layer).to(logits.dtype)
            if check:
                refuse(~((weight >= 0) & (weight <= 1)), heads, "a mix weight outside [0, 1]")
            steered = (1 - weight) * native_weights(logits, valid) + weight * steered
    if heads is None:
        return steered.expand_as(logits)
    return torch.where(heads[:, None, None], steered, native_weights(logits, valid))


def _share(values: Tensor, valid: Tensor | None, heads: Tensor | None, *, check: bool) -> Tensor:
    """Renormalise weights over the valid positions."""
    kept = values if valid is None else torch.where(valid, values, 0.0)
    total = kept.sum(-1, keepdim=True)
    if check:
        improper = (kept < 0).any(-1, keepdim=True) | ~(total.isfinite() & (total > 0))
        refuse(improper, heads, "weights that are negative, not finite or all on padding")
    return kept / total


def _shut(valid: Tensor | None) -> Tensor | bool:
    return False if valid is None else ~valid


def refuse(bad: Tensor, heads: Tensor | None, what: str) -> None:
    """Raise a `SteeringError` if any entry of `bad` is set in a steered head.

    Args:
        bad: bool, `[lanes, heads or 1, ...]`.
        heads: bool `[heads]`, the heads that are steered; None for all.
        what: What it is that such a lane has.
    """
    if heads is not None and bad.shape[1] > 1:
        bad = bad[:, heads]
    if not bool(bad.any()):  # the only wait for the device in a steered forward
        return
    lanes = bad.flatten(1).any(1).nonzero().flatten().tolist()
    plural = "s" if len(lanes) > 1 else ""
    raise SteeringError(f"{what} in lane{plural} {', '.join(map(str, lanes))}")
