"""How attention is routed to us: transformers' registries and the models' configs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from rlattn.steering.bands import current_bands
from rlattn.steering.gates import biased_weights, per_head

NAME = "rlattn"
"""The name under which our attention is known to transformers."""

Attend: TypeAlias = Callable[..., tuple[Tensor, Tensor | None]]
"""An attention function as transformers calls it, the module first."""

_SITE = "_rlattn_attend"  # key in a module's __dict__; there only while the module is taken over

_lock = threading.Lock()
_routed: dict[int, tuple[PreTrainedConfig, str | None, int]] = {}


def native(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    """Plain attention by transformers' SDPA function; it returns no weights."""
    # Left to itself, SDPA takes a module that does not say whether it is causal for a causal one.
    kwargs.setdefault("is_causal", getattr(module, "is_causal", False))
    output, weights = sdpa_attention_forward(module, *args, **kwargs)
    return output, weights


def _mask(*, q_length: int, allow_is_causal_skip: bool = True, **kwargs: Any) -> Tensor | None:
    """SDPA's mask, but a causal one is always made: not all modules say that they are causal."""
    skip = allow_is_causal_skip and q_length == 1
    return sdpa_mask(q_length=q_length, allow_is_causal_skip=skip, **kwargs)


def _attend(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    # One name serves the attention of all models. Only a module that was taken over differs, so
    # models that are steered at the same time, in any thread, do not meet.
    attend: Attend = module.__dict__.get(_SITE, _own_past)
    return attend(module, *args, **kwargs)


def _own_past(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """Self-attention; each band of lanes, if there are any, over its own last columns."""
    bands = current_bands()
    if bands is None:
        return native(
            module, query, key, value, attention_mask, position_bias=position_bias, **kwargs
        )
    outputs = []
    for band in bands:
        assert band.own is not None
        # Written out, for a query of one token keeps fused kernels from their best.
        (key, value), query_part = band.own, query[band.lanes]
        groups = getattr(module, "num_key_value_groups", 1)
        key, value = repeat_kv(key, groups), repeat_kv(value, groups)
        if band.own_bias is None:
            mask = band.cut_target(attention_mask)
            assert mask is not None
            band.own_bias = per_head(mask, query.shape[1])
        bias = band.cut_target(position_bias)
        weights = biased_weights(band.own_bias, query_part, key, bias, kwargs.get("scaling"))
        outputs.append(torch.matmul(weights.to(value.dtype), value))
    return torch.cat(outputs).transpose(1, 2), None


@cache
def _register() -> None:
    # Under one name in both registries: a name without a mask function gets no masks at all.
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _mask)


def take_over(configs: Iterable[PreTrainedConfig], sites: Mapping[nn.Module, Attend]) -> bool:
    """Route the attention of `configs` to us and give some modules an attention of their own.

    Models may share a config: it is routed by the first to come and given back by the last to go.

    Args:
        configs: All configs of a model, each once.
        sites: The attention of the modules that do not keep the native one.

    Returns:
        Whether it was done; False, with nothing changed, if a module is already taken over.
    """
    _register()
    with _lock:
        if is_taken_over(sites):
            return False
        for config in configs:
            _, original, users = _routed.get(
                id(config), (config, config._attn_implementation_internal, 0)
            )
            _routed[id(config)] = (config, original, users + 1)
            config._attn_implementation_internal = NAME
        # Through __dict__: nn.Module's __setattr__ is slow, and this happens at every step.
        for module, attend in sites.items():
            module.__dict__[_SITE] = attend
    return True


def is_taken_over(sites: Iterable[nn.Module]) -> bool:
    """Whether any of the modules has an attention of its own at present."""
    return any(_SITE in module.__dict__ for module in sites)


def give_back(configs: Iterable[PreTrainedConfig], modules: Iterable[nn.Module]) -> None:
    """Undo `take_over` for the same configs and modules."""
    with _lock:
        for module in modules:
            del module.__dict__[_SITE]
        for config in configs:
            _, original, users = _routed.pop(id(config))
            if users > 1:
                _routed[id(config)] = (config, original, users - 1)
            else:
                config._attn_implementation_internal = original
