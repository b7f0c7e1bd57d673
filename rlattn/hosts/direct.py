"""A shorter way through decoders of BART's build: their modules one after the other, no more.

A step of one token is so little work that the library's frame around it (caches as objects, masks,
hooks, arguments handed down) takes a fifth of its time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rlattn.hosts.forward import Lanes, Step
from rlattn.hosts.seq2seq import Seq2SeqHost
from rlattn.steering import Allocation, Steering
from rlattn.steering.bands import Band
from rlattn.steering.native import attend_past
from rlattn.steering.reading import Reading

_LAYER = (
    "self_attn",
    "self_attn_layer_norm",
    "encoder_attn",
    "encoder_attn_layer_norm",
    "fc1",
    "activation_fn",
    "fc2",
    "final_layer_norm",
)
_ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj", "num_heads", "scaling")


def is_of_bart_build(host: Seq2SeqHost) -> bool:
    """Whether a decoder has the parts of BART's (Lewis et al., 2020), by name.

    Marian, mBART, Pegasus, M2M100 and others have them as well. How they are put together differs,
    so a `DirectForward` is to be compared with the model before it is used.
    """
    layers = getattr(host.model.get_decoder().base_model, "layers", ())
    if not layers or host.dtype == torch.float16:  # where they look for overflow in each layer
        return False
    return all(
        all(hasattr(layer, name) for name in _LAYER)
        and all(hasattr(layer.self_attn, name) for name in _ATTENTION)
        and all(hasattr(layer.encoder_attn, name) for name in _ATTENTION)
        for layer in layers
    )


class DirectForward:
    """The way through the modules of a decoder of BART's build.

    Args:
        host: The frozen model.
        steering: Steers it; not entered.
        pre_norm: Whether norms come before the blocks of a layer, as in mBART, or after them and
            what goes around them, as in BART.
    """

    def __init__(self, host: Seq2SeqHost, steering: Steering, pre_norm: bool) -> None:
        body = host.model.get_decoder().base_model
        self._steering, self._pre_norm = steering, pre_norm
        self._embed, self._scale = host.embed_tokens, float(getattr(body, "embed_scale", 1.0))
        self._first_norm: nn.Module | None = getattr(body, "layernorm_embedding", None)
        self._last_norm: nn.Module | None = getattr(body, "layer_norm", None)
        self._layers: list[Any] = list(body.layers)
        self._output = host.model.get_output_embeddings()
        bias: Tensor | None = getattr(host.model, "final_logits_bias", None)
        # Hardly a host has one, though all have a place for it.
        self._bias = bias if bias is not None and bool(bias.any()) else None

    def __call__(self, lanes: Lanes, allocation: Allocation | None, beside: Tensor | None) -> Step:
        """As `Forward` says."""
        tokens, positions, bands, _ = lanes
        reading = self._steering.reading(allocation)
        x = self._embed(tokens)
        if self._scale != 1.0:
            x = x * self._scale
        if positions is not None:
            x = x + positions
        if self._first_norm is not None:
            x = self._first_norm(x)
        for number, layer in enumerate(self._layers):
            write = partial(_write, number, layer.self_attn, lanes)
            read = partial(_read, number, layer.encoder_attn, bands, reading)
            x = self._add(x, write, layer.self_attn_layer_norm)
            x = self._add(x, read, layer.encoder_attn_layer_norm)
            x = self._add(x, partial(_think, layer), layer.final_layer_norm)
        if self._last_norm is not None:
            x = self._last_norm(x)
        logits = self._output(x if beside is None else torch.cat([x, beside.to(x)]))
        if self._bias is not None:
            logits = logits + self._bias
        attention = reading.attention[:, -1] if reading.record else None
        return Step(logits[: len(tokens)], x, x, logits[len(tokens) :], attention)

    def _add(self, x: Tensor, block: Callable[[Tensor], Tensor], norm: nn.Module) -> Tensor:
        added: Tensor = x + block(norm(x)) if self._pre_norm else norm(x + block(x))
        return added


def _write(number: int, module: Any, lanes: Lanes, x: Tensor) -> Tensor:
    """Self-attention: the newest column is written, and all are read."""
    query, key, value = (
        _heads(module, projection(x))
        for projection in (module.q_proj, module.k_proj, module.v_proj)
    )
    for past, band in zip(lanes.pasts, lanes.bands, strict=True):
        band.own = past.write(number, key[band.lanes], value[band.lanes])
    return _merge(module, attend_past(module, lanes.bands, query, None, module.scaling))


def _read(number: int, module: Any, bands: list[Band], reading: Reading, x: Tensor) -> Tensor:
    """Cross-attention: the sources are read."""
    query = _heads(module, module.q_proj(x))
    return _merge(
        module, reading.attend_bands(number, module, bands, query, None, scaling=module.scaling)
    )


def _think(layer: Any, x: Tensor) -> Tensor:
    """The layer's own two matrices."""
    thought: Tensor = layer.fc2(layer.activation_fn(layer.fc1(x)))
    return thought


def _heads(module: Any, projected: Tensor) -> Tensor:
    return projected.view(len(projected), module.num_heads, 1, -1)


def _merge(module: Any, attended: Tensor) -> Tensor:
    merged: Tensor = module.out_proj(attended.reshape(len(attended), -1))
    return merged
