"""Cross-attention from the memory itself: no keys and values are made of what is never read.

The dot product of a query with a projected position is that of the projected query with the
position, and a weighted sum of projected positions is the projection of their weighted sum. A key's
bias adds the same to all logits of a query, which a softmax forgets. So positions are gathered once
for all layers and heads, and a cache of keys and values, the largest thing in decoding from a long
source, is not needed. DeepSeek-V2 (DeepSeek-AI, 2024) reads its compressed caches in this way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer, EncoderDecoderCache

from rlattn.steering import gates
from rlattn.steering.gates import Gate, Pages

_NAMES = (("k_proj", "v_proj"), ("k", "v"), ("key", "value"))
"""What the linear maps to keys and values are called in BART's, T5's and BERT's kin."""


class Projections(NamedTuple):
    """The linear maps of a cross-attention from a memory to keys and values.

    Attributes:
        key: To keys.
        value: To values.
    """

    key: nn.Linear
    value: nn.Linear

    def attend(
        self, query: Tensor, read: Tensor, gate: Gate, position_bias: Tensor | None, scale: float
    ) -> tuple[Tensor, Tensor]:
        """Attention over positions of a memory.

        Args:
            query: `[lanes, heads, queries, head_dim]`.
            read: The positions of the memory that `gate` picked, `[lanes, width, d_model]`, or
                pages of them, `[pages, PAGE, d_model]`.
            gate: What may be read.
            position_bias: None or additive, over all positions, as for `Gate.columns`.
            scale: Factor on the dot products.

        Returns:
            The output `[lanes, queries, heads, head_dim]`, and weights
            `[lanes, heads, queries, width]`.
        """
        lanes, heads, queries, size = query.shape
        rows = heads * queries
        asked = self._through(query, self.key.weight.view(heads, size, -1))
        bias = gate.bias.expand(-1, heads, queries, -1)
        if position_bias is not None:
            bias = bias + gate.columns(position_bias)
        bias, asked = bias.reshape(lanes, rows, -1), asked.reshape(lanes, rows, -1)
        look = _look if gate.pages is None else partial(_look_in_pages, gate.pages)
        found, weights = look(asked, read, bias, scale)
        found = found.view(lanes, heads, queries, -1)
        output = self._through(found, self.value.weight.view(heads, size, -1).transpose(1, 2))
        output = output.transpose(1, 2)
        if self.value.bias is not None:
            output = output + self.value.bias.view(heads, size)
        return output.contiguous(), weights.view(lanes, heads, queries, -1)

    @staticmethod
    def _through(numbers: Tensor, maps: Tensor) -> Tensor:
        """Each head's rows `[lanes, heads, queries, in]` through its map, `[heads, in, out]`."""
        lanes, heads, queries, size = numbers.shape
        rows = numbers.transpose(0, 1).reshape(heads, lanes * queries, size)
        return torch.bmm(rows, maps).view(heads, lanes, queries, -1).transpose(0, 1)


def _look(asked: Tensor, read: Tensor, bias: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """What lanes find, `[lanes, rows, d_model]`, and where, `[lanes, rows, width]`.

    Args:
        asked: What each row of a lane looks for, `[lanes, rows, d_model]`.
        read: Where, `[lanes, width, d_model]`.
        bias: On the logits, `[lanes, rows, width]`.
        scale: Factor on the dot products.
    """
    weights = torch.baddbmm(bias, asked, read.transpose(1, 2), alpha=scale).softmax(-1)
    return torch.bmm(weights, read), weights


def _look_in_pages(
    pages: Pages, asked: Tensor, read: Tensor, bias: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """The same where pages are read, `[pages, PAGE, d_model]`."""
    lanes, rows, width = bias.shape
    of_each, page = width // read.shape[1], read.shape[1]
    products = torch.bmm(asked.index_select(0, pages.lane), read.transpose(1, 2))
    logits = products.new_zeros(lanes * of_each, rows, page).index_copy(0, pages.slot, products)
    logits = logits.view(lanes, of_each, rows, page).transpose(1, 2).reshape(lanes, rows, width)
    weights = bias.add(logits, alpha=scale).softmax(-1)
    shares = weights.view(lanes, rows, of_each, page).transpose(1, 2).reshape(-1, rows, page)
    found = torch.bmm(shares.index_select(0, pages.slot), read)
    return torch.zeros_like(asked).index_add(0, pages.lane, found), weights


def projections_of(
    module: nn.Module, memory: Tensor | None, heads: int, key: Tensor, value: Tensor
) -> Projections | None:
    """How a cross-attention makes keys and values, if it is by linear maps and nothing more.

    Args:
        module: The cross-attention.
        memory: What its decoder was given, `[lanes, source, d_model]`, if that is known.
        heads: How many heads its queries have; keys and values that several share are not told.
        key: What it made of the memory, `[lanes, heads, source, head_dim]`.
        value: As `key`.
    """
    for names in _NAMES:
        found = Projections(*(getattr(module, name, None) for name in names))  # type: ignore[arg-type]
        if memory is None or not all(map(_is_plain, found)):
            continue
        if any(linear.in_features != memory.shape[-1] for linear in found):
            continue
        made = (found.key(memory), key), (found.value(memory), value)
        if key.shape[1] == heads and all(_same(*pair) for pair in made):
            return found
    return None


def _is_plain(linear: nn.Module | None) -> bool:
    # Exactly these classes: a replaced map, or a quantised weight, may do more than multiply.
    return type(linear) is nn.Linear and type(linear.weight) is nn.Parameter


def _same(flat: Tensor, per_head: Tensor) -> bool:
    merged = per_head.transpose(1, 2).flatten(2)
    if flat.shape != merged.shape:
        return False
    tolerance = torch.finfo(flat.dtype).eps ** 0.5
    return torch.allclose(flat, merged, rtol=tolerance, atol=tolerance * float(flat.abs().max()))


class _MemoryLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Stands where keys and values of a layer would, and holds the memory, `[lanes, 1, ...]`."""

    def __init__(self, memory: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lazy_initialization(memory, memory)
        self.keys = self.values = memory[:, None]

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Nothing: beams never leave their source."""


class Lent(NamedTuple):
    """A memory that the layers of a model read instead of keys and values.

    Attributes:
        memory: `[lanes, source, d_model]`.
        projections: Of each cross-attention layer.
        cache: Has the memory where its cross-attention's keys and values would be.
    """

    memory: Tensor
    projections: Sequence[Projections]
    cache: EncoderDecoderCache

    def give_back(self) -> None:
        """Leaves the cache without keys and values, as if nothing had been read yet."""
        self.cache.cross_attention_cache = DynamicCache()
        for layer in self.cache.is_updated:
            self.cache.is_updated[layer] = False


def lend(cache: Cache, memory: Tensor, projections: Sequence[Projections] | None) -> Lent | None:
    """Puts a memory where a model expects the keys and values of its cross-attention.

    Args:
        cache: The model's, before its first forward.
        memory: What its decoder is given, `[lanes, source, d_model]`.
        projections: Of each cross-attention layer; None where they are not known.

    Returns:
        What was lent; None, with nothing changed, where that cannot be done or is not worth it.
    """
    fits = (
        projections is not None
        and memory.shape[1] >= gates.LONG
        # Rounding to half precision comes at other places then.
        and memory.dtype in (torch.float32, torch.float64)
        and all(p.key.weight.dtype == memory.dtype for p in projections)
        and isinstance(cache, EncoderDecoderCache)
        and type(cache.cross_attention_cache) is DynamicCache
        and not any(cache.is_updated.values())
    )
    if not fits:
        return None
    assert isinstance(cache, EncoderDecoderCache)
    assert projections is not None
    cache.cross_attention_cache = DynamicCache()
    cache.cross_attention_cache.layers = [_MemoryLayer(memory) for _ in projections]
    cache.is_updated = dict.fromkeys(range(len(projections)), True)
    return Lent(memory, projections, cache)
