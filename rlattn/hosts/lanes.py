"""Decoding N lanes in one forward, each at its own position, over one shared set of caches.

All lanes write their newest key into the same column, so that a lane's history always ends at the
right edge of the cache. A lane that starts anew only forgets how many columns are its own: relative
position schemes stay correct as they are, absolute ones are looked up in a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor
from transformers import EncoderDecoderCache
from transformers.cache_utils import Cache, CacheLayerMixin
from transformers.modeling_outputs import BaseModelOutput

from rlattn.errors import UnsupportedModelError
from rlattn.hosts.seq2seq import Encoded, Seq2SeqHost


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


class LaneSources:
    """The sources that the lanes read: memory, mask and cross-attention caches.

    Args:
        lanes: How many lanes there are.
        max_source: The longest source, in tokens, that any lane will hold.
    """

    def __init__(self, lanes: int, max_source: int) -> None:
        self.lanes, self.max_source = lanes, max_source
        self.lengths = np.zeros(lanes, np.int64)
        self._rows: list[Tensor] = []

    @classmethod
    def of(cls, encoded: Encoded) -> LaneSources:
        """One lane for each row of `encoded`, whose tensors are used as they are."""
        sources = cls(*encoded.mask.shape)
        sources._rows = _flat(encoded)
        sources.lengths = encoded.mask.sum(1).cpu().numpy()
        return sources

    def load(self, lanes: np.ndarray, encoded: Encoded, rows: np.ndarray) -> None:
        """Puts the given rows of `encoded` into the given lanes."""
        flat = _flat(encoded)
        width = encoded.mask.shape[1]
        if not self._rows:
            self._rows = [
                t.new_zeros(self.lanes, *t.shape[1:-2], self.max_source, t.shape[-1])
                if t is not encoded.mask
                else t.new_zeros(self.lanes, self.max_source)
                for t in flat
            ]
        to = torch.as_tensor(lanes, device=encoded.mask.device)
        take = torch.as_tensor(rows, device=encoded.mask.device)
        for i, (kept, new) in enumerate(zip(self._rows, flat, strict=True)):
            if i == 1:
                kept[to] = False
                kept[to, :width] = new[take]
            else:
                kept[to, ..., :width, :] = new[take]
        self.lengths[lanes] = encoded.mask.sum(1).cpu().numpy()[rows]

    def keep(self, lanes: Tensor) -> None:
        """Drops all but the given lanes."""
        self.lanes, self.lengths = len(lanes), self.lengths[lanes.cpu().numpy()]
        self._rows = [t[lanes] for t in self._rows]

    @property
    def width(self) -> int:
        """Length of the longest source now held by a lane."""
        return int(self.lengths.max())

    @property
    def memory(self) -> Tensor:
        """``[lanes, width, d_model]``, as a view."""
        return self._rows[0][:, : self.width]

    @property
    def mask(self) -> Tensor:
        """True at real tokens, ``[lanes, width]``, as a view."""
        return self._rows[1][:, : self.width]

    @property
    def cross(self) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of each layer, ``[lanes, heads, width, d_head]``, as views."""
        views = [t[:, :, : self.width] for t in self._rows[2:]]
        return list(zip(views[::2], views[1::2], strict=True))


def _flat(encoded: Encoded) -> list[Tensor]:
    return [encoded.memory, encoded.mask, *(t for layer in encoded.cross for t in layer)]


class _LaneLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's self-attention cache: a window over pre-allocated columns."""

    def __init__(self, capacity: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.capacity, self.start, self.end = capacity, 0, 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        lanes, heads, _, width = key_states.shape
        # Every lane writes every column before the window reaches it: nothing needs clearing.
        self.keys = key_states.new_empty(lanes, heads, self.capacity, width)
        self.values = value_states.new_empty(lanes, heads, self.capacity, value_states.shape[-1])
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        assert self.keys is not None
        assert self.values is not None
        self.keys[:, :, self.end] = key_states[:, :, 0]
        self.values[:, :, self.end] = value_states[:, :, 0]
        self.end += 1
        return self.keys[:, :, self.start : self.end], self.values[:, :, self.start : self.end]

    def narrow(self, columns: int) -> None:
        """Makes the last `columns` columns the whole window, moving them when room runs out."""
        self.start = self.end - columns
        if self.end == self.capacity:
            for t in (self.keys, self.values):
                assert t is not None
                t[:, :, :columns] = t[:, :, self.start : self.end].clone()
            self.start, self.end = 0, columns

    def get_seq_length(self) -> int:
        return self.end - self.start

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.get_seq_length() + query_length, 0

    def get_max_length(self) -> int:
        return -1


class _CrossLayer(_LaneLayer):  # type: ignore[no-untyped-call]
    """One layer's cross-attention cache; its keys and values are set before each step."""

    def get_seq_length(self) -> int:
        return 0 if self.keys is None else int(self.keys.shape[2])


class LaneDecoder:
    """Writes one token per lane and step; any lane can start anew at any time.

    Args:
        host: The frozen model.
        sources: What the lanes read; several decoders may share it.
        max_target: The most tokens that a lane writes before it starts anew.

    Raises:
        UnsupportedModelError: If the decoder numbers its positions in a way that cannot be set
            for each lane on its own.
    """

    def __init__(self, host: Seq2SeqHost, sources: LaneSources, max_target: int) -> None:
        self.host, self.sources = host, sources
        self.ages = np.zeros(sources.lanes, np.int64)
        self._positions = _known_table(host, max_target)
        self._embedding = _position_embedding(host.model.get_decoder())
        self._columns = np.arange(max_target)[::-1]
        self._capacity = 2 * max_target
        self._layers: list[_LaneLayer] = []

    def restart(self, lanes: np.ndarray) -> None:
        """Makes the given lanes forget what they wrote."""
        self.ages[lanes] = 0

    def keep(self, lanes: np.ndarray) -> None:
        """Drops all but the given lanes, here and in the sources."""
        rows = torch.as_tensor(lanes, device=self.host.device)
        self.ages = self.ages[lanes]
        self.sources.keep(rows)
        for layer in self._layers:
            layer.reorder_cache(rows)  # type: ignore[arg-type]

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
        if not self._layers:
            self._layers = [_LaneLayer(self._capacity) for _ in sources.cross]
        for layer in self._layers:
            layer.narrow(min(int(self.ages.max()), layer.end))
        window = self._layers[0].get_seq_length() + 1
        own = torch.from_numpy(self._columns[-window:] <= self.ages[:, None])
        crosses: list[Any] = []
        for keys, values in sources.cross:
            cross = _CrossLayer(0)
            cross.keys, cross.values, cross.is_initialized = keys, values, True
            crosses.append(cross)
        cache = EncoderDecoderCache(Cache(layers=[*self._layers]), Cache(layers=crosses))
        with self._at(self.ages) as hidden, self.host.head(beside) as head:
            output = self.host.model(
                encoder_outputs=BaseModelOutput(last_hidden_state=sources.memory),
                attention_mask=self._additive(sources.mask),
                decoder_input_ids=tokens[:, None],
                decoder_attention_mask=self._additive(own.to(tokens.device)),
                past_key_values=cache,
                use_cache=True,
            )
        self.ages += 1
        logits = output.logits[:, -1]
        return Step(logits[: len(tokens)], hidden[0][:, -1], head[0][:, -1], logits[len(tokens) :])

    def _additive(self, mask: Tensor) -> Tensor:
        # Every attention takes an additive mask; to some, a boolean one is a number to add.
        dtype = self.host.model.dtype
        shut = torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, torch.finfo(dtype).min)
        return shut[:, None, None]

    @contextmanager
    def _at(self, positions: np.ndarray) -> Iterator[list[Tensor]]:
        """Numbers the lanes' positions, and catches the decoder's last hidden state."""
        decoder = self.host.model.get_decoder()
        hidden: list[Tensor] = []
        # The language-model head of a decoder, if it has one inside, is not part of it.
        body = decoder.base_model
        hooks = [body.register_forward_hook(lambda _m, _a, out: hidden.append(out[0]))]
        if self._positions is not None:
            rows = self._positions[torch.as_tensor(positions, device=self._positions.device)]
            assert self._embedding is not None
            hooks.append(self._embedding.register_forward_hook(lambda _m, _a, _out: rows[:, None]))
        try:
            yield hidden
        finally:
            for hook in hooks:
                hook.remove()


def _position_embedding(decoder: torch.nn.Module) -> torch.nn.Module | None:
    modules: list[tuple[str, torch.nn.Module]] = list(decoder.named_modules())
    for name in ("embed_positions", "position_embeddings", "wpe"):
        for path, module in modules:
            if path.rsplit(".", 1)[-1] == name:
                return module
    return None


_tables: WeakKeyDictionary[Seq2SeqHost, dict[tuple[int, torch.device], Tensor | None]] = (
    WeakKeyDictionary()
)


def _known_table(host: Seq2SeqHost, length: int) -> Tensor | None:
    # A table costs a forward, and decoders are made often: one for each batch that is read ahead.
    known = _tables.setdefault(host, {})
    if (length, host.device) not in known:
        known[length, host.device] = position_table(host, length)
    return known[length, host.device]


@torch.inference_mode()
def position_table(host: Seq2SeqHost, length: int) -> Tensor | None:
    """What a host adds to its target embeddings at each position, ``[length, d_state]``.

    Returns:
        The table, or None for a host whose decoder knows relative positions only.

    Raises:
        UnsupportedModelError: If target positions are embedded, but not one vector each.
    """
    decoder = host.model.get_decoder()
    embedding = _position_embedding(decoder)
    if embedding is None:
        return None
    seen: list[Tensor] = []
    hook = embedding.register_forward_hook(lambda _m, _a, out: seen.append(out))
    token = (host.pad_token + 1) % host.vocabulary
    try:
        memory = torch.zeros(1, 1, host.d_model, device=host.device)
        host.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            decoder_input_ids=torch.full((1, length), token, device=host.device),
        )
    except (IndexError, RuntimeError) as error:
        raise UnsupportedModelError(
            f"{host.name}: its decoder cannot write {length} tokens ({error})"
        ) from error
    finally:
        hook.remove()
    table = seen[0].reshape(-1, seen[0].shape[-1]) if seen else torch.empty(0, 0)
    if table.shape != (length, host.d_state):
        raise UnsupportedModelError(
            f"{host.name} ({type(host.model).__name__}): the positions of its decoder cannot be "
            "set for each lane on its own"
        )
    return table
