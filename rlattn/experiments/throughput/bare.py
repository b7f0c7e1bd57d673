"""The yardstick: what the frozen host needs to write the same tokens, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import cycle
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_outputs import BaseModelOutput

from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Batch
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad


def bare(host: Seq2SeqHost, batches: Sequence[Batch]) -> Contestant:
    """Encoding and greedy decoding, one batch after the other.

    Every lane writes the same number of tokens, so that all are live to the end. The only mask is
    that of the source's padding, and it is made once for each batch.
    """
    turn = cycle(batches)
    return Contestant(
        work=lambda: write(host, next(turn)).numel(),
        pieces=len(batches),
        warm_up=lambda: write(host, batches[0].start(2)),
    )


@torch.inference_mode()
def write(host: Seq2SeqHost, batch: Batch) -> Tensor:
    """The likeliest tokens one after the other, ``[rows, batch.steps]``."""
    ids, mask = (t.to(host.device) for t in pad(batch.sources, host.pad_token))
    memory = BaseModelOutput(
        last_hidden_state=host.model.get_encoder()(
            input_ids=ids, attention_mask=mask
        ).last_hidden_state
    )
    additive = torch.zeros_like(mask, dtype=host.model.dtype)
    additive = additive.masked_fill(~mask, torch.finfo(host.model.dtype).min)[:, None, None]
    # The first step fills the cross-attention's part.
    cache = EncoderDecoderCache(
        Cache(layer_class_to_replicate=partial(_Preallocated, batch.steps)),  # type: ignore[arg-type]
        DynamicCache(),
    )
    written = ids.new_empty(len(ids), batch.steps)
    fed = ids.new_full((len(ids), 1), host.start_token)
    for step in range(batch.steps):
        logits = host.model(
            encoder_outputs=memory,
            attention_mask=additive,
            decoder_input_ids=fed,
            past_key_values=cache,
            use_cache=True,
        ).logits
        fed = logits[:, -1:].argmax(-1)
        written[:, step : step + 1] = fed
    return written


class _Preallocated(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's self-attention cache, allocated once; attention sees what is filled."""

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._capacity, self._length = capacity, 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        rows, heads, _, width = key_states.shape
        self.keys = key_states.new_empty(rows, heads, self._capacity, width)
        self.values = value_states.new_empty(rows, heads, self._capacity, value_states.shape[-1])
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        self.keys[:, :, self._length] = key_states[:, :, 0]
        self.values[:, :, self._length] = value_states[:, :, 0]
        self._length += 1
        return self.keys[:, :, : self._length], self.values[:, :, : self._length]

    def get_seq_length(self) -> int:
        return self._length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._length + query_length, 0

    def get_max_length(self) -> int:
        return -1
