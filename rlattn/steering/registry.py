"""How attention is routed to us: transformers' registries and the models' configs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedConfig
from transformers.masking_utils import eager_mask, sdpa_mask

from rlattn.steering.bands import current_bands
from rlattn.steering.native import attend_past, native

NAME = "rlattn"
"""The name under which our attention is known to transformers."""

Attend: TypeAlias = Callable[..., tuple[Tensor, Tensor | None]]
"""An attention function as transformers calls it, the module first."""

_SITE = "_rlattn_attend"  # key in a module's __dict__; there only while the module is taken over

_lock = threading.Lock()
_routed: dict[int, tuple[PreTrainedConfig, str | None, int]] = {}


def _mask(
    *,
    q_length: int,
    config: PreTrainedConfig,
    allow_is_causal_skip: bool = True,
    **kwargs: Any,
) -> Tensor | None:
    """A mask of the model's own kind, but a causal one is always made.

    Not all modules say that they are causal. And masks also go to where no attention of ours is: a
    model that has eager attention alone may add them to its logits, or ask its experts by them.
    """
    _, original, _ = _routed.get(id(config), (config, None, 0))
    if original == "eager":
        return eager_mask(q_length=q_length, **kwargs)
    skip = allow_is_causal_skip and q_length == 1
    return sdpa_mask(q_length=q_length, allow_is_causal_skip=skip, **kwargs)


def _attend(module: nn.Module, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None]:
    # One name serves the attention of all models. Only a module that was taken over differs, so
    # models that are steered at the same time, in any thread, do not meet.
    attend: Attend = module.__dict__.get(_SITE, _native)
    return attend(module, *args, **kwargs)


def _native(
    module: nn.Module,
    query: Tensor,
    *args: Any,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """What was not taken over: lanes that come in bands have pasts of their own."""
    bands = current_bands()
    if bands is None:
        return native(module, query, *args, position_bias=position_bias, **kwargs)
    return attend_past(module, bands, query, position_bias, kwargs.get("scaling")), None


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
