"""Attention weights, native and steered, computed in the open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from rlattn.errors import SteeringError
from rlattn.steering.allocation import Allocation

Normalise: TypeAlias = Callable[[Tensor], Tensor]
"""What makes weights of logits `[lanes, heads, queries, source]`, in the softmax's place.

Its weights are never negative, sum to one over the source, and are zero where a logit is the
smallest finite number, as it is at positions that may not be read.
"""

_ROUNDING = 1e-3
"""How far from one a sum of normalised weights may be."""

_FAR_ABOVE = 20.0
"""By how much a shut position's logit may be above all open ones and be told from higher ones."""


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


def native_weights(
    logits: Tensor, valid: Tensor | None, normalise: Normalise | None = None
) -> Tensor:
    """The model's own attention weights.

    Args:
        logits: `[lanes, heads, queries, source]`.
        valid: bool, broadcastable to the shape of `logits`, or None where all may be read.
        normalise: What makes other weights of the same logits; None for the softmax.

    Returns:
        Weights of the shape of `logits` that sum to one over the source.
    """
    if valid is not None:
        # The smallest finite number gives a weight of exactly zero beside any real logit, and
        # no NaN where a lane has nothing to read.
        logits = torch.where(valid, logits, torch.finfo(logits.dtype).min)
    return logits.softmax(-1) if normalise is None else normalise(logits)


def steered_weights(
    logits: Tensor,
    valid: Tensor | None,
    allocation: Allocation | None,
    layer: int,
    heads: Tensor | None,
    *,
    check: bool,
    normalise: Normalise | None = None,
) -> Tensor:
    """The attention weights of one layer under an allocation.

    Args:
        logits: `[lanes, heads, queries, source]`.
        valid: bool, broadcastable to the shape of `logits`, or None where all may be read.
        allocation: What to apply; its shapes fit `logits`. None for nothing but `normalise`.
        layer: Index of this layer among the model's cross-attention layers.
        heads: bool `[heads]`, the heads to steer; None steers all of them.
        check: Whether to look for lanes that the allocation leaves undefined.
        normalise: What stands in the softmax's place in these heads; None for the softmax.

    Returns:
        Weights of the shape of `logits` that sum to one over the source.

    Raises:
        SteeringError: If `check` finds such a lane; names it.
    """
    if allocation is None:
        steered = native_weights(logits, valid, normalise)
    else:
        steered = _allocated(logits, valid, allocation, layer, heads, normalise, check=check)
    if check and normalise is not None:
        _check_normalised(steered, valid, heads)
    if heads is None:
        return steered.expand_as(logits)
    return torch.where(heads[:, None, None], steered, native_weights(logits, valid))


def _allocated(
    logits: Tensor,
    valid: Tensor | None,
    allocation: Allocation,
    layer: int,
    heads: Tensor | None,
    normalise: Normalise | None,
    *,
    check: bool,
) -> Tensor:
    values = allocation.for_layer(layer)
    if allocation.mode == "bias":
        if check:
            refuse(~(values.isfinite() | _shut(valid)), heads, "a bias that is not finite")
        return native_weights(logits + values, valid, normalise)
    if allocation.mode == "scale":
        if check:
            proper = values.isfinite() & (values > 0)
            refuse(~(proper | _shut(valid)), heads, "a scale that is not finite or not above 0")
        # Masks hold numbers so low that a factor, or its gradient, would not be finite.
        readable = logits if valid is None else torch.where(valid, logits, 0.0)
        return native_weights(readable * values, valid, normalise)
    if allocation.mode == "gate" and values.dtype != torch.bool:
        if normalise is not None:
            raise SteeringError("gates that are open in part are factors on the softmax's weights")
        return _opened_in_part(logits, values.to(logits.dtype), valid, heads, check=check)
    if allocation.mode == "gate":
        is_open = values if valid is None else values & valid
        if check:
            refuse(~is_open.any(-1, keepdim=True), heads, "a gate with no valid position open")
        return native_weights(logits, is_open, normalise)
    shares = _share(values.to(logits.dtype), valid, heads, check=check)
    if allocation.weight is None:
        return shares
    weight = allocation.weight_for_layer(layer).to(logits.dtype)
    if check:
        refuse(~((weight >= 0) & (weight <= 1)), heads, "a mix weight outside [0, 1]")
    return (1 - weight) * native_weights(logits, valid, normalise) + weight * shares


def _check_normalised(weights: Tensor, valid: Tensor | None, heads: Tensor | None) -> None:
    """Refuse weights that are not what `Normalise` promises."""
    # Put so that what is not a number is improper, too.
    proper = (weights >= 0) & ((weights.sum(-1, keepdim=True) - 1).abs() <= _ROUNDING)
    if valid is not None:
        # A lane with nothing to read has its weights somewhere, as under the softmax.
        proper = proper & ((weights == 0) | valid | ~valid.any(-1, keepdim=True))
    what = "normalised weights that are negative, do not sum to one or lie on padding"
    refuse(~proper, heads, what)


def _opened_in_part(
    logits: Tensor, values: Tensor, valid: Tensor | None, heads: Tensor | None, *, check: bool
) -> Tensor:
    """Native weights times `values`, renormalised; gradients reach shut positions, too."""
    kept = values if valid is None else torch.where(valid, values, 0.0)
    if check:
        proper = (values >= 0) & (values <= 1)
        refuse(~(proper | _shut(valid)), heads, "a gate that is not in [0, 1]")
        refuse(~(kept > 0).any(-1, keepdim=True), heads, "a gate with no valid position open")
    shut = torch.finfo(logits.dtype).min
    highest = torch.where(kept > 0, logits, shut).amax(-1, keepdim=True).detach()
    # Only what is shut can be above the highest that is open, and that counts for its gradient
    # alone, which must stay finite.
    weights = kept * (logits - highest).clamp(max=_FAR_ABOVE).exp()
    return weights / weights.sum(-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)


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
