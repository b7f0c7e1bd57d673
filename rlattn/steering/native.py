"""Attention as the model has it: of all lanes at once, or band by band over their own pasts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward

from rlattn.steering.bands import Band
from rlattn.steering.biased import biased_weights, per_head


def native(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """Plain attention by transformers' SDPA function; it returns no weights."""
    # Left to itself, SDPA takes a module that does not say whether it is causal for a causal one.
    kwargs.setdefault("is_causal", getattr(module, "is_causal", False))
    output, weights = sdpa_attention_forward(module, *args, **kwargs)
    return output, weights


def attend_past(
    module: nn.Module,
    bands: list[Band],
    query: Tensor,
    position_bias: Tensor | None,
    scaling: float | None,
) -> Tensor:
    """Self-attention of one new token, each band of lanes over its own last columns.

    Args:
        module: The attention module.
        bands: All lanes; `Band.own` is this layer's.
        query: ``[lanes, heads, 1, d_head]``.
        position_bias: None or additive, ``[lanes or 1, heads, 1, target]``, the newest column last.
        scaling: Factor on the dot product; None for ``d_head ** -0.5``.

    Returns:
        ``[lanes, 1, heads, d_head]``.
    """
    outputs = []
    groups = getattr(module, "num_key_value_groups", 1)
    for band in bands:
        assert band.own is not None
        # Written out, for a query of one token keeps fused kernels from their best.
        key, value = (repeat_kv(t, groups) for t in band.own)
        if band.own_bias is None:
            band.own_bias = per_head(band.own_mask, query.shape[1])
        bias = band.cut(position_bias, slice(-band.target, None))
        weights = biased_weights(band.own_bias, query[band.lanes], key, bias, scaling)
        outputs.append(torch.matmul(weights.to(value.dtype), value))
    return (torch.cat(outputs) if len(outputs) > 1 else outputs[0]).transpose(1, 2)
