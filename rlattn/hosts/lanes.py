"""Decoding N lanes in one forward, each at its own position.

A lane that starts anew only forgets how many columns of its past are its own: relative position
schemes stay correct as they are, absolute ones are looked up in a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import EncoderDecoderCache
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput

from rlattn.hosts.past import LanesLayer, Past, SourcesLayer
from rlattn.hosts.positions import known_table, position_embedding
from rlattn.hosts.seq2seq import Seq2SeqHost
from rlattn.hosts.sources import LaneSources
from rlattn.steering import Steering
from rlattn.steering.bands import Band, banded


class Step(NamedTuple):
    """What the host produced for every lane.

    Attributes:
        logits: ``[lanes, vocabulary]``.
        hidden: The decoder's last hidden state, ``[lanes, d_state]``.
        head: What its output layer was given, ``[lanes, d_head]``.
        beside: Logits of the rows that were handed to the output layer beside the lanes' own.
    """

    logits: Tensor
    hidden: Tensor
    head: Tensor
    beside: Tensor


class LaneDecoder:
    """Writes one token per lane and step; any lane can start anew at any time.

    Inside a `Steering` of the host it follows that; elsewhere its attention is native.

    Args:
        host: The frozen model.
        sources: What the lanes read; several decoders may share it.
        max_target: The most tokens that a lane writes before it starts anew.

    Raises:
        UnsupportedModelError: If the decoder numbers its positions in a way that cannot be set
            for each lane on its own, or its attention cannot be routed by bands.
    """

    def __init__(self, host: Seq2SeqHost, sources: LaneSources, max_target: int) -> None:
        self.host, self.sources = host, sources
        self.ages = np.zeros(sources.lanes, np.int64)
        self._positions = known_table(host, max_target)
        self._embedding = position_embedding(host.model.get_decoder())
        self._columns = np.arange(max_target)[::-1]
        self._native = Steering(host.model)
        self._pasts: list[Past] = []

    def restart(self, lanes: np.ndarray) -> None:
        """Makes the given lanes forget what they wrote."""
        self.ages[lanes] = 0

    def keep(self, lanes: np.ndarray) -> None:
        """Drops all but the given lanes, in ascending order, here and in the sources."""
        self.ages = self.ages[lanes]
        self.sources.keep(lanes)
        if self._pasts:
            bands = [self.sources.band(number)[0] for number in range(self.sources.bands)]
            rows = torch.as_tensor(lanes, device=self.host.device)
            self._pasts = Past.regroup(self._pasts, rows, bands)

    @torch.inference_mode()
    def step(self, tokens: Tensor, beside: Tensor | None = None) -> Step:
        """Feeds one token to every lane.

        Args:
            tokens: Token ids, ``[lanes]``.
            beside: More rows for the output layer, ``[rows, d_head]``, as earlier steps gave them
                in `Step.head`; their logits come out of the same matrix product.

        Returns:
            What every lane produced.
        """
        sources = self.sources
        bands = self._bands()
        columns = int(self.ages.max())
        before = self._columns[-columns - 1 :] > self.ages[:, None]
        heads, _, d_head = bands[0].cross[0][0].shape[1:]
        shape = (sources.lanes, heads, sources.width, d_head)
        cache = EncoderDecoderCache(
            Cache(
                layers=[
                    LanesLayer(layer, self._pasts, bands, columns)
                    for layer in range(sources.layers)
                ]
            ),
            Cache(
                layers=[SourcesLayer(shape, bands[0].cross[0][0]) for _ in range(sources.layers)]
            ),
        )
        # The cross-attention reads its caches; of the memory, only the shape is looked at.
        memory = bands[0].cross[0][0].new_zeros(()).expand(*shape[::2], self.host.d_model)
        steering = nullcontext() if self._native.busy else self._native
        with steering, banded(bands), self._at(self.ages) as hidden, self.host.head(beside) as head:
            output = self.host.model(
                encoder_outputs=BaseModelOutput(last_hidden_state=memory),
                attention_mask=self._shut(sources.padding),
                decoder_input_ids=tokens[:, None],
                decoder_attention_mask=self._shut(before),
                past_key_values=cache,
                use_cache=True,
            )
        self.ages += 1
        for past in self._pasts:
            past.advance()
        logits = output.logits[:, -1]
        return Step(logits[: len(tokens)], hidden[0][:, -1], head[0][:, -1], logits[len(tokens) :])

    def _bands(self) -> list[Band]:
        """The bands of the next forward; their pasts are made ready for it."""
        sources = self.sources
        self._pasts = self._pasts or [Past(sources.layers) for _ in range(sources.bands)]
        bands = []
        for number, past in enumerate(self._pasts):
            lanes, cross = sources.band(number)
            age = int(self.ages[lanes].max())
            past.narrow(age)
            bands.append(Band(lanes, cross[0][0].shape[2], age + 1, cross))
        return bands

    def _shut(self, hidden: np.ndarray) -> Tensor:
        # Every attention takes an additive mask; to some, a boolean one is a number to add.
        added = np.where(hidden, torch.finfo(self.host.dtype).min, 0.0)
        return torch.from_numpy(added).to(self.host.device, self.host.dtype)[:, None, None]

    @contextmanager
    def _at(self, positions: np.ndarray) -> Iterator[list[Tensor]]:
        """Numbers the lanes' positions, and catches the decoder's last hidden state."""
        decoder = self.host.model.get_decoder()
        hidden: list[Tensor] = []
        # The language-model head of a decoder, if it has one inside, is not part of it.
        body = decoder.base_model
        hooks: list[Any] = [body.register_forward_hook(lambda _m, _a, out: hidden.append(out[0]))]
        if self._positions is not None:
            rows = self._positions[torch.as_tensor(positions, device=self._positions.device)]
            assert self._embedding is not None
            hooks.append(self._embedding.register_forward_hook(lambda _m, _a, _out: rows[:, None]))
        try:
            yield hidden
        finally:
            for hook in hooks:
                hook.remove()
