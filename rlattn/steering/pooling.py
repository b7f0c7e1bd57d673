"""The self-attention of an encoder whose first row, or all, are pooled: watched and steered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig
from transformers.integrations.sdpa_attention import repeat_kv

from rlattn.errors import SteeringError, UnsupportedModelError
from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import attention_logits, native_weights
from rlattn.steering.beside import weights_beside
from rlattn.steering.native import native
from rlattn.steering.probe import configs_of
from rlattn.steering.registry import give_back, take_over


class PooledEncoder(NamedTuple):
    """What is known of an encoder whose last states are pooled.

    Attributes:
        attentions: Its self-attention modules, each once.
        layers: How many times they attend in a forward: layers may share a module, as ALBERT's do.
        heads: Number of heads in each of them.
        first: Whether the first row alone is pooled; all rows are otherwise.
        configs: Every config in the model, each once.
    """

    attentions: tuple[nn.Module, ...]
    layers: int
    heads: int
    first: bool
    configs: tuple[PreTrainedConfig, ...]


def pooled_encoder(model: nn.Module, forward: Callable[[], Tensor], name: str) -> PooledEncoder:
    """Finds the self-attention of a model and the rows that it pools, by watching a forward.

    Nothing mixes rows behind the last attention but the pooling: so what is pooled are the rows of
    its output that the logits have a gradient for.

    Args:
        model: The model; it is left as it was.
        forward: Runs it on one text without padding, and returns its logits.
        name: What to call the model in messages.

    Returns:
        What was found.

    Raises:
        UnsupportedModelError: If its attention does not go through transformers' attention
            interface, is more than a softmax of masked dot products, or it pools neither its first
            row nor all of them.
    """
    heads: dict[nn.Module, int] = {}
    layers = 0
    last: list[Tensor] = []

    def attend(module: nn.Module, query: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
        if kwargs.get("softcap"):
            raise _unsupported(name, "its attention caps its logits by a tanh (`softcap`)")
        nonlocal layers
        layers += 1
        heads[module] = query.shape[1]
        output = native(module, query, *args, **kwargs)[0].detach().requires_grad_()
        last[:] = [output]
        return output, None

    modules, configs = list(model.modules()), configs_of(model)
    with torch.no_grad():
        plain = forward()
    if not take_over(configs, dict.fromkeys(modules, attend)):
        raise SteeringError(f"a part of {name} is being steered at this moment")
    try:
        with torch.enable_grad():
            logits = forward()
    finally:
        give_back(configs, modules)
    if not heads:
        reason = "its attention does not go through transformers' attention interface"
        raise _unsupported(name, reason)
    if len(set(heads.values())) > 1:
        raise _unsupported(name, "its layers differ in their number of heads")
    tolerance = torch.finfo(plain.dtype).eps ** 0.5 * plain.abs().max().item()
    if not torch.allclose(logits.detach(), plain, rtol=0.0, atol=tolerance):
        raise _unsupported(name, "its attention is more than a softmax of masked dot products")
    # Some direction, for a sum of logits may be what a normalisation takes away.
    direction = torch.linspace(1.0, 2.0, logits.numel(), device=logits.device).view_as(logits)
    gradient = torch.autograd.grad((logits * direction).sum(), last)[0]
    pooled = gradient[0].flatten(1).abs().amax(1).nonzero().flatten().tolist()
    if not pooled:
        raise _unsupported(name, "its logits do not depend on what it reads")
    if pooled not in ([0], list(range(gradient.shape[1]))):
        reason = f"of {gradient.shape[1]} rows it pools {pooled}, not the first or all of them"
        raise _unsupported(name, reason)
    return PooledEncoder(
        tuple(heads), layers, next(iter(heads.values())), first=pooled == [0], configs=configs
    )


@contextmanager
def steered_pooling(
    encoder: PooledEncoder, allocation: Allocation | None, own: Tensor, *, every: bool = False
) -> Iterator[list[Tensor]]:
    """Inside, in one forward, the first row's attention follows an allocation in all layers.

    Args:
        encoder: Whose attention; where there is an allocation, its first row is what is pooled, or
            every row follows it.
        allocation: Over all columns, as `widened` gives it; None for native attention.
        own: True at the allocation's own columns, ``[rows, columns]``.
        every: Whether every row follows the allocation, not the first one alone.

    Yields:
        A list that receives, after a forward, where the pooled queries looked in the last layer:
        mean over heads, ``[rows, 1 or columns, columns]``, float32 or wider.

    Raises:
        SteeringError: If the model is already being steered, or, in the forward, if the allocation
            leaves a row undefined.
    """
    looked: list[Tensor] = []
    attend = partial(_attend, encoder, count(), allocation, own, every, looked)
    if not take_over(encoder.configs, dict.fromkeys(encoder.attentions, attend)):
        raise SteeringError("the encoder is already being steered: steerings do not nest")
    try:
        yield looked
    finally:
        give_back(encoder.configs, encoder.attentions)


def _attend(
    encoder: PooledEncoder,
    numbers: Iterator[int],
    allocation: Allocation | None,
    own: Tensor,
    every: bool,
    looked: list[Tensor],
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    position_bias: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    """The self-attention of one layer, as transformers calls it."""
    output, _ = native(module, query, key, value, mask, position_bias=position_bias, **kwargs)
    layer = next(numbers)
    is_last = layer == encoder.layers - 1
    if allocation is None and not is_last:
        return output, None
    rows = slice(1 if encoder.first and not every else None)
    groups = getattr(module, "num_key_value_groups", 1)
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    logits, valid = attention_logits(
        query[:, :, rows], key, _rows(mask, rows), _rows(position_bias, rows), kwargs.get("scaling")
    )
    if allocation is None:
        weights = native_weights(logits, valid)
    else:
        check = layer == 0 or not allocation.shares_layers
        weights = weights_beside(logits, valid, allocation, layer, own, check=check)
        steered = torch.matmul(weights.to(value.dtype), value).transpose(1, 2)
        output = steered if every else torch.cat([steered, output[:, 1:]], dim=1)
    if is_last:
        looked.append(weights.detach().mean(1))
    return output, None


def _rows(added: Tensor | None, rows: slice) -> Tensor | None:
    """The part of a mask or bias ``[.., .., queries or 1, columns]`` for some queries."""
    return added if added is None or added.shape[2] == 1 else added[:, :, rows]


def _unsupported(name: str, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{name} cannot serve as a classifier: {reason}")
