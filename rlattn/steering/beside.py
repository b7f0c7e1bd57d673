"""Attention over columns of which an allocation owns some, and the others are always open."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import native_weights, refuse, steered_weights

_NEUTRAL = {"bias": 0.0, "scale": 1.0, "gate": 1.0, "replace": 0.0, "mix": 0.0}
"""What leaves a column that is not the allocation's own as it is."""


def widened(allocation: Allocation, own: Tensor, start: int) -> Allocation:
    """Lays an allocation over more columns than it was made for.

    Args:
        allocation: Over `source` positions.
        own: True at the columns that are its own, ``[rows, columns]``; its position 0 is column
            `start`.
        start: How many columns come before its own.

    Returns:
        The allocation over ``columns``, with what changes nothing where they are not its own.
    """
    given = allocation.values
    source, neutral = given.shape[-1], _NEUTRAL[allocation.mode]
    if given.ndim == 4:
        own = own[:, None, None]
    values = given.new_full((*given.shape[:-1], own.shape[-1]), neutral)
    inside = slice(start, start + source)
    values[..., inside] = torch.where(own[..., inside], given, values[..., inside])
    return replace(allocation, values=values)


def weights_beside(
    logits: Tensor,
    valid: Tensor | None,
    allocation: Allocation,
    layer: int,
    own: Tensor,
    *,
    check: bool,
) -> Tensor:
    """The attention weights of one layer, some of whose columns no allocation touches.

    Under `replace` and `mix` the other columns keep their native weight, and the allocation deals
    out what is left. A `gate` may be shut everywhere: then the others are all there is.

    Args:
        logits: ``[rows, heads, queries, columns]``.
        valid: bool, broadcastable to the shape of `logits`, or None where all may be read.
        allocation: As `widened` gives it.
        layer: Index of the layer.
        own: True at the allocation's own columns, ``[rows, columns]``.
        check: Whether to look for rows that the allocation leaves undefined.

    Returns:
        Weights of the shape of `logits` that sum to one over the columns.

    Raises:
        SteeringError: If `check` finds such a row; names it.
    """
    if allocation.mode not in ("replace", "mix"):
        return steered_weights(logits, valid, allocation, layer, None, check=check)
    own = own[:, None, None]
    dealt = Allocation("replace", allocation.values)
    shares = steered_weights(logits, own, dealt, layer, None, check=check)
    native = native_weights(logits, valid)
    left = torch.where(own, native, 0.0).sum(-1, keepdim=True)
    replaced = torch.where(own, left * shares, native)
    if allocation.weight is None:
        return replaced
    weight = allocation.weight_for_layer(layer).to(logits.dtype)
    if check:
        refuse(~((weight >= 0) & (weight <= 1)), None, "a mix weight outside [0, 1]")
    return (1 - weight) * native + weight * replaced
