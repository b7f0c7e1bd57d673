"""The lanes' own pasts: the caches of the self-attention, band by band."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import CacheLayerMixin

from rlattn.steering.bands import Band
from rlattn.storage.state import State, take

_ROOM = 8
"""The fewest columns that room is made for."""


class Past:
    """What one band of lanes wrote: a window of columns that ends with the newest.

    All lanes write their newest column at the same place, so that a lane's history always ends at
    the right edge.

    Args:
        layers: How many layers the decoder has.
    """

    def __init__(self, layers: int) -> None:
        self._layers = layers
        self._kept: Tensor | None = None  # ``[2 * layers, lanes, heads, room, d_head]``
        self._start = self._end = 0

    def narrow(self, columns: int) -> None:
        """Leaves the last `columns` columns at most, and room for one more."""
        self._start = max(self._start, self._end - columns)
        if self._kept is None or self._end < self._kept.shape[3]:
            return
        window, width = self.window, self._end - self._start
        if 2 * width >= self._end:  # Otherwise the beginning is free to be written again.
            self._kept = self._room(window, width)
        self._kept[:, :, :, :width] = window
        self._start, self._end = 0, width

    @property
    def window(self) -> Tensor:
        """All layers' keys and values, ``[2 * layers, lanes, heads, columns, d_head]``."""
        assert self._kept is not None
        return self._kept[:, :, :, self._start : self._end]

    def _room(self, like: Tensor, columns: int) -> Tensor:
        lanes, heads, _, width = like.shape[-4:]
        room = max(_ROOM, 3 * (columns + 1))
        return like.new_empty(2 * self._layers, lanes, heads, room, width)

    def write(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Adds a layer's newest keys and values ``[lanes, heads, 1, d_head]``; the window's."""
        if self._kept is None:
            self._kept = self._room(keys, 0)
        for row, new in ((2 * layer, keys), (2 * layer + 1, values)):
            self._kept[row, :, :, self._end] = new[:, :, 0]
        views = self._kept[2 * layer : 2 * layer + 2, :, :, self._start : self._end + 1]
        return views[0], views[1]

    def advance(self) -> None:
        """Counts the column that all layers have written."""
        self._end += 1

    def state_dict(self) -> State:
        """The window, and where in how much room it lies."""
        assert self._kept is not None
        return {"window": self.window, "start": self._start, "room": self._kept.shape[3]}

    def load_state_dict(self, state: State, like: Tensor, lanes: int) -> None:
        """Goes on from what another past was.

        Args:
            state: Of the other.
            like: A tensor of the same type, on the same device.
            lanes: How many there are in the band.
        """
        window = take(state, "window", like, (2 * self._layers, lanes, None, None, None))
        heads, columns, width = window.shape[2:]
        self._start = take(state, "start", 0)
        self._end, room = self._start + columns, take(state, "room", 0)
        # As much room as before: how products are taken can depend on where rows begin.
        self._kept = window.new_zeros(2 * self._layers, lanes, heads, room, width)
        self._kept[:, :, :, self._start : self._end] = window

    @staticmethod
    def exchange(pasts: list[Past], lanes: Tensor, bands: list[slice]) -> None:
        """Puts the newest column of other lanes, of any band, in the place of each lane's own."""
        newest = torch.cat([past.window[:, :, :, -1] for past in pasts], dim=1)[:, lanes]
        for past, band in zip(pasts, bands, strict=True):
            past.window[:, :, :, -1] = newest[:, band]

    @staticmethod
    def regroup(pasts: list[Past], lanes: Tensor, bands: list[slice]) -> list[Past]:
        """The pasts of other bands, made of some of the lanes."""
        windows = [past.window for past in pasts]
        widest = max(window.shape[3] for window in windows)
        every = torch.cat(
            [torch.nn.functional.pad(w, (0, 0, widest - w.shape[3], 0)) for w in windows], dim=1
        )[:, lanes]
        made = []
        for band in bands:
            past = Past(pasts[0]._layers)
            past._kept = every[:, band].clone()
            past._end = widest
            made.append(past)
        return made


class LanesLayer(CacheLayerMixin):  # type: ignore[no-untyped-call]
    """One layer's self-attention cache as transformers knows it; the bands hold what is in it.

    Args:
        layer: Index of the layer.
        pasts: Of each band.
        bands: Of this forward; each is told what it attends over.
        columns: The longest window, the newest column not counted.
    """

    def __init__(self, layer: int, pasts: list[Past], bands: list[Band], columns: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.layer, self.pasts, self.bands, self.columns = layer, pasts, bands, columns
        self.is_initialized = True

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Nothing to do."""

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Takes the newest column; what comes back has the shape of the window, and no more."""
        for past, band in zip(self.pasts, self.bands, strict=True):
            band.own = past.write(self.layer, key_states[band.lanes], value_states[band.lanes])
        shape = (-1, -1, self.columns + 1, -1)
        return key_states.expand(shape), value_states.expand(shape)

    def get_seq_length(self) -> int:
        """The longest window."""
        return self.columns

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """The longest window with the newest columns, from its beginning."""
        return self.columns + query_length, 0

    def get_max_length(self) -> int:
        """No limit."""
        return -1


class SourcesLayer(LanesLayer):  # type: ignore[no-untyped-call]
    """One layer's cross-attention cache, in shape alone: the bands bring their own."""

    def __init__(self, keys: Tensor) -> None:
        super().__init__(0, [], [], keys.shape[2])
        self.keys = self.values = keys
