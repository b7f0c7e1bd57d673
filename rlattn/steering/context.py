"""The steering: a context in which a model's cross-attention follows an allocation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv

from rlattn.errors import SteeringError
from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import attention_logits, native_weights, steered_weights
from rlattn.steering.bands import current_bands
from rlattn.steering.gates import biased_weights, gate_bias
from rlattn.steering.probe import anatomy, describe
from rlattn.steering.registry import give_back, is_taken_over, native, take_over


class Steering:
    """A context manager that applies an allocation inside a model's cross-attention.

    Building one changes nothing in the model, and entering it costs some tens of microseconds.
    Inside the context every forward of the model follows `allocation`, `generate()` included. On
    exit, also after an exception, the model is what it was, and the same object may be entered
    again. Gradients flow through an allocation's values and weight.

    With `output_attentions`, the cross-attention that a model returns is the steered one. Its
    self-attention is computed by transformers' SDPA function meanwhile, whatever the model's own
    implementation is, and returns no weights.

    Args:
        model: A Hugging Face encoder-decoder.
        layers: Indices of the cross-attention layers to steer; None for all.
        heads: Indices of the heads to steer in each of these layers; None for all.
        record: Whether to keep the attention of every forward in `attention`.

    Attributes:
        allocation: Applied to every forward until it is changed; None is native attention.
        attention: With `record`, after a forward of the decoder: the attention that was used,
            steered or native, mean over all cross-attention layers and heads,
            `[lanes, queries, source]`, float32, detached. None before.
        layers_count: Number of the model's cross-attention layers.
        heads_count: Number of heads in each of them.

    Raises:
        UnsupportedModelError: If the model's cross-attention cannot be steered.
        SteeringError: If there are no such layers or heads; on entering, if the model is already
            being steered; in a forward, if the allocation does not fit it or did not reach every
            chosen layer.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        record: bool = False,
    ) -> None:
        self.allocation: Allocation | None = None
        self.attention: Tensor | None = None
        self._model = model
        self._anatomy = anatomy(model)
        self._record = record
        self.layers_count = len(self._anatomy.cross_attentions)
        self.heads_count = self._anatomy.heads
        every = range(self.layers_count)
        self._layers = frozenset(every) if layers is None else _choice(layers, every, "layer")
        self._heads: Tensor | None = None
        if heads is not None:
            chosen = _choice(heads, range(self.heads_count), "head")
            self._heads = torch.zeros(self.heads_count, dtype=torch.bool)
            self._heads[sorted(chosen)] = True
        self._expected = frozenset(every) if record else self._layers
        self._fired: set[int] = set()
        self._sums: list[Tensor] = []
        self._gates: dict[int, Tensor] = {}
        self._hooks: tuple[RemovableHandle, ...] = ()

    def __enter__(self) -> Self:
        sites = {
            module: partial(self._attend, layer)
            for layer, module in enumerate(self._anatomy.cross_attentions)
        }
        if not take_over(self._anatomy.configs, sites):
            raise SteeringError(
                f"{describe(self._model)} is already being steered: steerings do not nest, so "
                "change the `allocation` of the one at work instead"
            )
        decoder = self._anatomy.decoder
        self._hooks = (
            decoder.register_forward_pre_hook(self._begin),
            decoder.register_forward_hook(self._end),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        give_back(self._anatomy.configs, self._anatomy.cross_attentions)

    @property
    def busy(self) -> bool:
        """Whether the model is being steered, by this or by another steering."""
        return is_taken_over(self._anatomy.cross_attentions)

    def _begin(self, decoder: nn.Module, args: Any) -> None:
        self._fired.clear()
        self._sums.clear()
        self._gates.clear()

    def _end(self, decoder: nn.Module, args: Any, output: Any) -> None:
        if not self._fired >= self._expected:
            raise SteeringError(
                f"the steering of {describe(self._model)} did not reach cross-attention layers "
                f"{sorted(self._expected - self._fired)}: their modules were changed or bypassed"
            )
        if self._record:
            means = [total.mean(1) / self.layers_count for total in self._sums]
            widest = max(mean.shape[-1] for mean in means)
            pads = [nn.functional.pad(mean, (0, widest - mean.shape[-1])) for mean in means]
            self.attention = torch.cat(pads) if len(pads) > 1 else pads[0]
            self._sums.clear()

    def _attend(
        self,
        layer: int,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None,
        position_bias: Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """The cross-attention of one layer, as transformers calls it."""
        first = self._fired.isdisjoint(self._layers)
        self._fired.add(layer)
        allocation = self.allocation if layer in self._layers else None
        if allocation is not None:
            allocation.check_shape(len(query), self.layers_count, self.heads_count, key.shape[2])
        bands = current_bands()
        if bands is None:
            part = _Part(query, key, value, attention_mask, position_bias)
            return self._read(0, part, layer, module, allocation, first, **kwargs)
        outputs = []
        for number, band in enumerate(bands):
            mask, bias = band.cut_source(attention_mask), band.cut_source(position_bias)
            part = _Part(query[band.lanes], *band.cross[layer], mask, bias)
            own = allocation
            if allocation is not None and number not in self._gates:
                own = allocation.part(band.lanes, band.source)
            outputs.append(self._read(number, part, layer, module, own, first, **kwargs)[0])
        return torch.cat(outputs), None

    def _read(
        self,
        number: int,
        part: _Part,
        layer: int,
        module: nn.Module,
        allocation: Allocation | None,
        first: bool,
        dropout: float = 0.0,
        scaling: float | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """The cross-attention of one layer for some lanes; `number` tells them from others."""
        query, key, value, mask, position_bias = part
        if allocation is None and not (self._record or kwargs.get("output_attentions")):
            options = {"dropout": dropout, "scaling": scaling, "position_bias": position_bias}
            return native(module, query, key, value, mask, **options, **kwargs)

        groups = getattr(module, "num_key_value_groups", 1)
        key, value = repeat_kv(key, groups), repeat_kv(value, groups)
        if allocation is not None and allocation.is_plain_gate and self._heads is None:
            if number not in self._gates:
                self._gates[number] = gate_bias(
                    allocation.values, mask, query.shape[1], query.dtype
                )
            weights = biased_weights(self._gates[number], query, key, position_bias, scaling)
        else:
            logits, valid = attention_logits(query, key, mask, position_bias, scaling)
            if allocation is None:
                weights = native_weights(logits, valid)
            else:
                if self._heads is not None:
                    self._heads = self._heads.to(logits.device)
                check = first or not allocation.shares_layers
                weights = steered_weights(
                    logits, valid, allocation, layer, self._heads, check=check
                )
        if self._record:
            if number == len(self._sums):
                self._sums.append(weights.detach())
            else:
                self._sums[number] = self._sums[number] + weights.detach()
        weights = weights.to(value.dtype)
        dropped = nn.functional.dropout(weights, dropout, module.training)
        return torch.matmul(dropped, value).transpose(1, 2).contiguous(), weights


class _Part(NamedTuple):
    """What some lanes attend with, all tensors with these lanes alone."""

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    position_bias: Tensor | None


def steer(
    model: PreTrainedModel,
    allocation: Allocation | None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    record: bool = False,
) -> Steering:
    """A steering that starts with an allocation.

    Example:
        with steer(model, allocation):
            model.generate(**inputs)

    Args:
        model: A Hugging Face encoder-decoder.
        allocation: Applied to every forward; None is native attention.
        layers: Indices of the cross-attention layers to steer; None for all.
        heads: Indices of the heads to steer in each of these layers; None for all.
        record: Whether to keep the attention of every forward in `attention`.

    Returns:
        The steering, not yet entered.

    Raises:
        UnsupportedModelError: If the model's cross-attention cannot be steered.
        SteeringError: If there are no such layers or heads.
    """
    steering = Steering(model, layers=layers, heads=heads, record=record)
    steering.allocation = allocation
    return steering


def _choice(indices: Sequence[int], every: range, what: str) -> frozenset[int]:
    chosen = frozenset(indices)
    if not chosen or not chosen <= frozenset(every):
        raise SteeringError(
            f"no such {what}s: {list(indices)}; choose at least one from 0 to {every[-1]}"
        )
    return chosen
