"""One forward's reading: what its cross-attention does, layer after layer, and a record of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import repeat_kv

from rlattn.steering import gates
from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import (
    Normalise,
    attention_logits,
    native_weights,
    steered_weights,
)
from rlattn.steering.bands import Band
from rlattn.steering.biased import biased_weights
from rlattn.steering.gates import Gate
from rlattn.steering.memory import Lent
from rlattn.steering.native import native


class Scope(NamedTuple):
    """Which layers and heads of a model an allocation is for.

    Attributes:
        layers: Indices of the cross-attention layers that are steered.
        heads: bool `[heads]`, the heads that are steered; None for all.
        layers_count: Number of the model's cross-attention layers.
        heads_count: Number of heads in each of them.
        normalise: What stands in the softmax's place in the steered ones; None for the softmax.
    """

    layers: frozenset[int]
    heads: Tensor | None
    layers_count: int
    heads_count: int
    normalise: Normalise | None = None


class Part(NamedTuple):
    """What some lanes attend with, all tensors with these lanes alone.

    Attributes:
        query: `[lanes, heads, queries, head_dim]`.
        key: `[lanes, heads, source, head_dim]`.
        value: As `key`.
        mask: None, bool (True = may be read) or additive float; broadcasts to
            `[lanes, heads, queries, source]`.
        position_bias: None or additive, broadcasts to the same (T5).
    """

    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    position_bias: Tensor | None


class Reading:
    """The cross-attention of one forward of a model, native or under an allocation.

    Args:
        scope: Which layers and heads are steered.
        allocation: What is applied to them; None for native attention.
        record: Whether `attention` will be asked for.
        lent: The memory to read instead of keys and values, if the allocation is a gate that all
            layers and heads share.

    Attributes:
        record: As given.
        reached: Indices of the layers that have attended.
    """

    def __init__(
        self, scope: Scope, allocation: Allocation | None, record: bool, lent: Lent | None = None
    ) -> None:
        self.reached: set[int] = set()
        self.record = record
        self._scope, self._allocation, self._lent = scope, allocation, lent
        self._parts: dict[int, Allocation] = {}
        self._gates: dict[int, Gate] = {}
        self._sums: list[Tensor] = []

    @property
    def attention(self) -> Tensor:
        """What was used, mean over layers and heads, `[lanes, queries, source]`, float32."""
        means = [total.mean(1) / self._scope.layers_count for total in self._sums]
        for number, gate in self._gates.items():
            means[number] = gate.spread(means[number])
        widest = max(mean.shape[-1] for mean in means)
        pads = [nn.functional.pad(mean, (0, widest - mean.shape[-1])) for mean in means]
        return torch.cat(pads) if len(pads) > 1 else pads[0]

    def attend(
        self, layer: int, module: nn.Module, part: Part, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None]:
        """The cross-attention of one layer, for all lanes together.

        Args:
            layer: Index of the layer.
            module: The attention module.
            part: What it attends with.
            kwargs: What transformers hands to an attention function beside these.

        Returns:
            The output `[lanes, queries, heads, head_dim]`, and the weights where they were made.

        Raises:
            SteeringError: If the allocation does not fit.
        """
        lanes, source = len(part.query), part.key.shape[2]
        allocation, first = self._reach(layer, lanes, source)
        return self._read(0, part, layer, module, allocation, first, **kwargs)

    def attend_bands(
        self,
        layer: int,
        module: nn.Module,
        bands: list[Band],
        query: Tensor,
        position_bias: Tensor | None,
        **kwargs: Any,
    ) -> Tensor:
        """The same, with each band of lanes reading its own cache.

        Args:
            layer: Index of the layer.
            module: The attention module.
            bands: All lanes.
            query: `[lanes, heads, queries, head_dim]`.
            position_bias: As in `Part`.
            kwargs: What transformers hands to an attention function beside these.

        Returns:
            The output, `[lanes, queries, heads, head_dim]`.
        """
        allocation, first = self._reach(layer, len(query), max(band.source for band in bands))
        outputs = []
        for number, band in enumerate(bands):
            bias = band.cut(position_bias, slice(band.source))
            part = Part(query[band.lanes], *band.cross[layer], band.mask, bias)
            own = allocation
            if allocation is not None:
                own = self._parts.get(number) or allocation.part(band.lanes, band.source)
                self._parts[number] = own
            outputs.append(self._read(number, part, layer, module, own, first, **kwargs)[0])
        return torch.cat(outputs) if len(outputs) > 1 else outputs[0]

    def _reach(self, layer: int, lanes: int, source: int) -> tuple[Allocation | None, bool]:
        """The allocation for a layer, and whether it is the first that is steered."""
        layers, _, layers_count, heads_count, _ = self._scope
        first = self.reached.isdisjoint(layers)
        self.reached.add(layer)
        if self._allocation is None or layer not in layers:
            return None, first
        if first:
            self._allocation.check_shape(lanes, layers_count, heads_count, source)
        return self._allocation, first

    def _read(
        self,
        number: int,
        part: Part,
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
        wanted = bool(kwargs.get("output_attentions"))
        normalise = self._scope.normalise if layer in self._scope.layers else None
        untouched = allocation is None and normalise is None
        if untouched and not (self.record or wanted):
            options = {"dropout": dropout, "scaling": scaling, "position_bias": position_bias}
            return native(module, query, key, value, mask, **options, **kwargs)
        heads = self._scope.heads
        alike = heads is None and normalise is None
        if allocation is not None and allocation.is_plain_gate and alike:
            return self._read_opened(
                number, part, layer, module, allocation, dropout, scaling, wanted=wanted
            )

        groups = getattr(module, "num_key_value_groups", 1)
        key, value = repeat_kv(key, groups), repeat_kv(value, groups)
        logits, valid = attention_logits(query, key, mask, position_bias, scaling)
        if untouched:
            weights = native_weights(logits, valid)
        else:
            if heads is not None:
                heads = heads.to(logits.device)
            check = first or (allocation is not None and not allocation.shares_layers)
            weights = steered_weights(
                logits, valid, allocation, layer, heads, check=check, normalise=normalise
            )
        self._note(number, weights)
        return _weighed(module, weights, value, dropout)

    def _read_opened(
        self,
        number: int,
        part: Part,
        layer: int,
        module: nn.Module,
        allocation: Allocation,
        dropout: float,
        scaling: float | None,
        *,
        wanted: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """The same under a gate that all heads share: where much is shut, it is not touched."""
        query, key, value, mask, bias = part
        lent = self._lent
        if number not in self._gates:
            # Natively read layers read everything, and what all read is added up.
            alike = len(self._scope.layers) == self._scope.layers_count
            few = gates.FEW_OF_MEMORY if lent else gates.FEW if alike else 0.0
            self._gates[number] = Gate(
                allocation, mask, query.shape[1], query.dtype, few, paged=lent is not None
            )
        gate = self._gates[number]
        if lent is not None:
            scale = query.shape[-1] ** -0.5 if scaling is None else scaling
            output, weights = lent.projections[layer].attend(
                query, gate.pick_once(lent.memory), gate, bias, scale
            )
            self._note(number, weights)
        else:
            groups = getattr(module, "num_key_value_groups", 1)
            key, value = gate.pick("key", key), gate.pick("value", value)
            key, value = repeat_kv(key, groups), repeat_kv(value, groups)
            bias = bias if bias is None else gate.columns(bias)
            weights = biased_weights(gate.bias_per_head, query, key, bias, scaling)
            self._note(number, weights)
            output, weights = _weighed(module, weights, value, dropout)
        return output, gate.spread(weights) if wanted else None

    def _note(self, number: int, weights: Tensor) -> None:
        """Adds the weights of a layer to the record."""
        if not self.record:
            return
        if number == len(self._sums):
            self._sums.append(weights.detach())
        else:
            self._sums[number] = self._sums[number] + weights.detach()


def _weighed(
    module: nn.Module, weights: Tensor, value: Tensor, dropout: float
) -> tuple[Tensor, Tensor]:
    weights = weights.to(value.dtype)
    used = nn.functional.dropout(weights, dropout) if module.training else weights
    return torch.matmul(used, value).transpose(1, 2).contiguous(), weights
