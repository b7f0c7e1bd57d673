"""The steering: a context in which a model's cross-attention follows an allocation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel
from transformers.cache_utils import Cache

from rlattn.errors import SteeringError
from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import Normalise
from rlattn.steering.bands import current_bands
from rlattn.steering.memory import Lent, lend
from rlattn.steering.probe import anatomy, describe
from rlattn.steering.reading import Part, Reading, Scope
from rlattn.steering.registry import give_back, take_over


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
        normalise: What makes attention weights of logits in these layers and heads, beside or
            without an allocation, such as `entmax.sparsemax`; None for the model's softmax. It is
            given logits `[lanes, heads, queries, source]`, float32 or wider, with the smallest
            finite number where nothing may be read, and gives weights that sum to one over the
            source and are zero there.

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
            chosen layer, or if `normalise` gives something else than it should.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        record: bool = False,
        normalise: Normalise | None = None,
    ) -> None:
        self.allocation: Allocation | None = None
        self.attention: Tensor | None = None
        self._model = model
        self._anatomy = anatomy(model)
        self._record = record
        self.layers_count = len(self._anatomy.cross_attentions)
        self.heads_count = self._anatomy.heads
        every = range(self.layers_count)
        which = frozenset(every) if layers is None else _choice(layers, every, "layer")
        steered: Tensor | None = None
        if heads is not None:
            chosen = _choice(heads, range(self.heads_count), "head")
            steered = torch.zeros(self.heads_count, dtype=torch.bool)
            steered[sorted(chosen)] = True
        self._scope = Scope(which, steered, self.layers_count, self.heads_count, normalise)
        self._expected = frozenset(every) if record else which
        self._lent: Lent | None = None
        self._reading = self.reading(None)
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
        self.read_memory(None)
        self._reading = self.reading(None)

    def reading(self, allocation: Allocation | None) -> Reading:
        """What a forward follows; for a forward that is not the model's own."""
        return Reading(self._scope, allocation, self._record, self._lent)

    def read_memory(self, memory: Tensor | None, cache: Cache | None = None) -> bool:
        """Has gates read a memory itself in the forwards to come, without keys and values of it.

        A decoding step then costs what the open positions cost. Every allocation must be a gate
        of bools that all layers and heads share until `read_memory(None)` or the exit.

        Args:
            memory: What the decoder is given, `[lanes, source, d_model]`; None to end it.
            cache: The model's, before its first forward over this memory.

        Returns:
            Whether it was done. It is not, and nothing is changed, where the source is short, the
            cache is not a dynamic one, the model makes keys and values in a way of its own,
            computes in half precision, or something else stands in its softmax's place.
        """
        if self._lent is not None:
            self._lent.give_back()
            self._lent = None
        everywhere = len(self._scope.layers) == self.layers_count and self._scope.heads is None
        everywhere = everywhere and self._scope.normalise is None
        if memory is not None and cache is not None and everywhere and not self._model.training:
            self._lent = lend(cache, memory, self._anatomy.projections)
        return self._lent is not None

    def _begin(self, decoder: nn.Module, args: Any) -> None:
        self._reading = self.reading(self.allocation)

    def _end(self, decoder: nn.Module, args: Any, output: Any) -> None:
        reached = self._reading.reached
        if not reached >= self._expected:
            raise SteeringError(
                f"the steering of {describe(self._model)} did not reach cross-attention layers "
                f"{sorted(self._expected - reached)}: their modules were changed or bypassed"
            )
        if self._record:
            self.attention = self._reading.attention

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
        bands = current_bands()
        if bands is None:
            part = Part(query, key, value, attention_mask, position_bias)
            return self._reading.attend(layer, module, part, **kwargs)
        return self._reading.attend_bands(
            layer, module, bands, query, position_bias, **kwargs
        ), None


def steer(
    model: PreTrainedModel,
    allocation: Allocation | None,
    *,
    layers: Sequence[int] | None = None,
    heads: Sequence[int] | None = None,
    record: bool = False,
) -> Steering:
    """A steering that starts with an allocation.

    Example::

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
