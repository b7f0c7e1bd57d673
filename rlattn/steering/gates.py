"""A gate that all layers and heads share: which positions are read, and only those."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from rlattn.steering.allocation import Allocation
from rlattn.steering.attention import refuse
from rlattn.steering.biased import per_head

LONG = 128
"""From so many source positions on, what is shut is not read rather than read and masked."""

FEW = 0.3
"""So small a share of the positions must be open for that to pay: gathering them costs."""

FEW_OF_MEMORY = 0.6
"""The same where positions are gathered once for all layers, not their keys and values for each."""

PAGE = 16
"""How many positions of a memory are a page, see `Pages`."""

_SPARED = 0.85
"""Up to this share of what would be read otherwise, pages pay."""


class Pages(NamedTuple):
    """What lanes read of a memory, in pages: a lane that reads little takes few of them.

    Attributes:
        lane: Whose each page is, int64, `[pages]`.
        slot: Where it stands among those of all lanes if all had as many, int64, `[pages]`.
    """

    lane: Tensor
    slot: Tensor


class Gate:
    """A gate as all layers of a forward use it.

    Args:
        allocation: The gate; all layers and heads share it.
        mask: None, bool (True = may be read) or additive float; broadcasts to
            `[lanes, 1, queries, source]`.
        heads: Number of heads of a layer.
        dtype: Of the queries.
        few: Up to which share of the positions the open ones are gathered.
        paged: Whether lanes that read much may read more than others, for `pick_once`.

    Attributes:
        bias: What is added to the logits at the positions that are read, `[lanes, 1, queries or 1,
            width]`; the smallest finite number where nothing may be read.
        index: The positions that are read, int64, `[lanes, width]`: the open ones, and the first of
            them again in lanes that have fewer than others. None where all are, in their order.
        pages: Which parts of `index` are gathered by `pick_once`; None where all are.

    Raises:
        SteeringError: If a lane has no valid position open.
    """

    def __init__(
        self,
        allocation: Allocation,
        mask: Tensor | None,
        heads: int,
        dtype: torch.dtype,
        few: float,
        *,
        paged: bool = False,
    ) -> None:
        self._heads, self._source = heads, allocation.values.shape[1]
        self._kept: dict[str, Tensor] = {}
        self._memory: Tensor | None = None
        opened = allocation.values[:, None, None, :]
        added = torch.zeros((), dtype=dtype, device=opened.device)
        if mask is not None and mask.dtype == torch.bool:
            opened = opened & mask
        elif mask is not None:
            opened, added = opened & (mask > torch.finfo(mask.dtype).min / 2), mask.to(dtype)
        # The smallest finite number gives a weight of exactly zero beside any real logit.
        shut = torch.finfo(dtype).min
        self.bias, self.index, self.pages = torch.where(opened, added, shut), None, None
        count = opened.sum(-1, keepdim=True)
        taken = -(-count // PAGE)
        # The only wait for the device.
        least, most, pages = torch.stack([*count.aminmax(), taken.sum()]).tolist()
        if not least:
            refuse(count == 0, None, "a gate with no valid position open")
        if self._source < LONG or opened.shape[2] > 1:
            return
        gathered, width = len(opened) * most, most
        paged = paged and pages * PAGE <= _SPARED * gathered
        if paged:
            gathered, width = pages * PAGE, -(-most // PAGE) * PAGE
        if gathered <= few * len(opened) * self._source:
            self.index = _places(opened[:, 0, 0], width)
            beyond = torch.arange(width, device=opened.device) >= count
            self.bias = self.columns(self.bias).masked_fill(beyond, shut)
            if paged:
                of_each = width // PAGE
                used = torch.arange(of_each, device=opened.device) < taken.view(-1, 1)
                slot = used.flatten().nonzero()[:, 0]
                self.pages = Pages(slot // of_each, slot)

    @cached_property
    def bias_per_head(self) -> Tensor:
        """`bias` as `biased_weights` takes it, `[lanes * heads, queries or 1, width]`."""
        return per_head(self.bias, self._heads)

    def pick(self, what: str, rows: Tensor) -> Tensor:
        """The rows that are read.

        Args:
            what: Names the rows. Memory of what was picked before under that name is used again:
                fresh memory costs more than the copy.
            rows: `[lanes, heads or 1, source, size]`.

        Returns:
            `[lanes, heads or 1, width, size]`.
        """
        if self.index is None:
            return rows
        lanes, heads, source, size = rows.shape
        # Few long copies are faster than many short ones.
        if heads == 1 or rows.transpose(1, 2).is_contiguous():
            table, order = rows.transpose(1, 2).reshape(-1, heads * size), (0, 2, 1, 3)
            firsts, index = lanes, self.index
        else:
            table, order = rows.reshape(-1, size), (0, 1, 2, 3)
            firsts, index = lanes * heads, self.index.repeat_interleave(heads, dim=0)
        first = torch.arange(firsts, device=rows.device)[:, None] * source
        kept = None if torch.is_grad_enabled() else self._kept.get(what)
        picked = torch.index_select(table, 0, (index + first).flatten(), out=kept)
        self._kept[what] = picked
        width = self.index.shape[1]
        shape = (lanes, width, heads, size) if firsts == lanes else (lanes, heads, width, size)
        return picked.view(shape).permute(order)

    def pick_once(self, memory: Tensor) -> Tensor:
        """What all layers read of a memory, `[lanes, source, size]`.

        Returns:
            `[lanes, width, size]`, or `[pages, PAGE, size]`.
        """
        if self.index is None:
            return memory
        if self._memory is None:
            lane, places = torch.arange(len(memory), device=memory.device), self.index
            if self.pages is not None:
                lane, places = self.pages.lane, places.view(-1, PAGE)[self.pages.slot]
            rows = memory.flatten(0, 1).index_select(
                0, (places + self._source * lane[:, None]).flatten()
            )
            self._memory = rows.view(*places.shape, -1)
        return self._memory

    def columns(self, numbers: Tensor) -> Tensor:
        """What is read of `[lanes or 1, heads or 1, queries, source]`, `[..., width]`."""
        if self.index is None:
            return numbers
        index = self.index[:, None, None, :].expand(-1, *numbers.shape[1:3], -1)
        return numbers.expand(len(index), -1, -1, -1).gather(-1, index)

    def spread(self, weights: Tensor) -> Tensor:
        """Weights `[lanes, ..., width]` where they belong, `[lanes, ..., source]`."""
        if self.index is None:
            return weights
        index = self.index.view(len(weights), *[1] * (weights.ndim - 2), -1).expand_as(weights)
        nothing = weights.new_zeros(*weights.shape[:-1], self._source)
        # Added: a lane's first may be there again, with no weight.
        return nothing.scatter_add(-1, index, weights)


def _places(opened: Tensor, most: int) -> Tensor:
    """Where the True of each lane are, in their order, then the first again, `[lanes, most]`."""
    lane, place = opened.nonzero(as_tuple=True)
    rank = opened.long().cumsum(-1)[lane, place] - 1
    places = opened.long().argmax(-1, keepdim=True).repeat(1, most)
    places[lane, rank] = place
    return places
