"""One token for every lane through the decoder: what goes in, what comes out, and the plain way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

from torch import Tensor
from transformers import EncoderDecoderCache
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutput

from rlattn.hosts.past import LanesLayer, Past, SourcesLayer
from rlattn.hosts.positions import position_embedding
from rlattn.hosts.seq2seq import Seq2SeqHost
from rlattn.steering import Allocation, Steering
from rlattn.steering.bands import Band, banded


class Step(NamedTuple):
    """What the host produced for every lane.

    Attributes:
        logits: ``[lanes, vocabulary]``.
        hidden: The decoder's last hidden state, ``[lanes, d_state]``.
        head: What its output layer was given, ``[lanes, d_head]``.
        beside: Logits of the rows that were handed to the output layer beside the lanes' own.
        attention: The attention that was used, mean over layers and heads, ``[lanes, source]``;
            None if it was not recorded.
    """

    logits: Tensor
    hidden: Tensor
    head: Tensor
    beside: Tensor
    attention: Tensor | None


class Lanes(NamedTuple):
    """What the lanes are fed, and what they read.

    Attributes:
        tokens: Token ids, ``[lanes]``.
        positions: What stands for each lane's position, ``[lanes, d_state]``; None where positions
            are relative.
        bands: All lanes.
        pasts: The past of each band.
    """

    tokens: Tensor
    positions: Tensor | None
    bands: list[Band]
    pasts: list[Past]


class Forward(Protocol):
    """One way through the decoder."""

    def __call__(self, lanes: Lanes, allocation: Allocation | None, beside: Tensor | None) -> Step:
        """Writes each lane's newest column of its past, and gives its next logits.

        Args:
            lanes: What is fed and read.
            allocation: What the cross-attention follows; None for native attention.
            beside: More rows for the output layer, ``[rows, d_head]``.
        """


class ModelForward:
    """The way through the model's own forward, for every decoder that lanes can use at all.

    Args:
        host: The frozen model.
        steering: Steers it; at rest.
    """

    def __init__(self, host: Seq2SeqHost, steering: Steering) -> None:
        self._host, self._steering = host, steering
        self._embedding = position_embedding(host.model.get_decoder())

    def __call__(self, lanes: Lanes, allocation: Allocation | None, beside: Tensor | None) -> Step:
        """As `Forward` says."""
        tokens, positions, bands, pasts = lanes
        layers, cross = len(bands[0].cross), bands[0].cross[0][0]
        source = max(band.source for band in bands)
        target = max(band.target for band in bands)
        # The attention reads the bands' own masks and caches; of these, only shapes are looked at.
        nothing = cross.new_zeros(())
        shape = len(tokens), cross.shape[1], source, cross.shape[3]
        cache = EncoderDecoderCache(
            Cache(layers=[LanesLayer(layer, pasts, bands, target - 1) for layer in range(layers)]),
            Cache(layers=[SourcesLayer(nothing.expand(shape)) for _ in range(layers)]),
        )
        memory = nothing.expand(len(tokens), source, self._host.d_model)
        self._steering.allocation = allocation
        with (
            self._steering,
            banded(bands),
            self._at(positions) as hidden,
            self._host.head(beside) as head,
        ):
            output = self._host.model(
                encoder_outputs=BaseModelOutput(last_hidden_state=memory),
                attention_mask=nothing.expand(len(tokens), 1, 1, source),
                decoder_input_ids=tokens[:, None],
                decoder_attention_mask=nothing.expand(len(tokens), 1, 1, target),
                past_key_values=cache,
                use_cache=True,
            )
        attention = self._steering.attention
        logits = output.logits[:, -1]
        return Step(
            logits[: len(tokens)],
            hidden[0][:, -1],
            head[0][:, -1],
            logits[len(tokens) :],
            None if attention is None else attention[:, -1],
        )

    @contextmanager
    def _at(self, positions: Tensor | None) -> Iterator[list[Tensor]]:
        """Numbers the lanes' positions, and catches the decoder's last hidden state."""
        hidden: list[Tensor] = []
        # The language-model head of a decoder, if it has one inside, is not part of it.
        body = self._host.model.get_decoder().base_model
        hooks: list[Any] = [body.register_forward_hook(lambda _m, _a, out: hidden.append(out[0]))]
        if positions is not None:
            rows = positions[:, None]
            assert self._embedding is not None
            hooks.append(self._embedding.register_forward_hook(lambda _m, _a, _out: rows))
        try:
            yield hidden
        finally:
            for hook in hooks:
                hook.remove()
