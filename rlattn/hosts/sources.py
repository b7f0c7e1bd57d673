"""The sources that lanes read: masks, and the caches of the cross-attention, band by band."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rlattn.hosts.seq2seq import Encoded
from rlattn.steering.bands import band_slices
from rlattn.storage.state import State, parts, take

_HEADROOM, _SLACK = 3, 12
"""Columns that a band is given, and may keep, beyond its longest source: moving it costs time."""


class LaneSources:
    """The sources that the lanes read.

    Args:
        lanes: How many lanes there are.
        max_source: The longest source, in tokens, that any lane will hold.
    """

    def __init__(self, lanes: int, max_source: int) -> None:
        self.lanes = lanes
        self.lengths = np.zeros(lanes, np.int64)
        self._columns = np.arange(max_source)
        self._mask: Tensor | None = None
        self._bands: list[slice] = []
        self._kept: list[Tensor] = []  # for each band, ``[2 * layers, lanes, heads, room, d_head]``

    @classmethod
    def of(cls, encoded: Encoded) -> LaneSources:
        """One lane for each row of `encoded`."""
        sources = cls(*encoded.mask.shape)
        every = np.arange(sources.lanes)
        sources.load(every, encoded, every)
        return sources

    def load(self, lanes: np.ndarray, encoded: Encoded, rows: np.ndarray) -> None:
        """Puts the given rows of `encoded` into the given lanes, which are in ascending order."""
        if not self._bands:
            self._bands = band_slices(self.lanes, encoded.mask.device)
            shape = list(encoded.cross.shape)
            for band in self._bands:
                shape[1], shape[3] = band.stop - band.start, 0
                self._kept.append(encoded.cross.new_zeros(shape))
        self.lengths[lanes] = encoded.lengths[rows]
        to, take = (torch.as_tensor(t, device=encoded.mask.device) for t in (lanes, rows))
        self._mask = None
        edges = np.searchsorted(lanes, [band.start for band in self._bands]).tolist()
        for number, first in enumerate(edges):
            last = edges[number + 1] if number + 1 < len(edges) else len(lanes)
            if first == last:
                continue
            width = int(encoded.lengths[rows[first:last]].max())
            kept = self._fit(number)
            place = to[first:last] - self._bands[number].start
            taken = encoded.cross.index_select(1, take[first:last])[:, :, :, :width]
            kept[:, :, :, :width].index_copy_(1, place, taken)

    def _fit(self, number: int) -> Tensor:
        """Gives a band as much room as its longest source needs."""
        kept, band = self._kept[number], self._bands[number]
        needed, room = int(self.lengths[band].max()), self._kept[number].shape[3]
        if not needed <= room <= needed + _SLACK:
            # Zeros, for what lies behind a short source is multiplied by weights of zero.
            new = needed + _HEADROOM
            self._kept[number] = kept.new_zeros(*kept.shape[:3], new, kept.shape[4])
            both = min(new, room)
            self._kept[number][..., :both, :] = kept[..., :both, :]
        return self._kept[number]

    def keep(self, lanes: np.ndarray) -> None:
        """Drops all but the given lanes, which are in ascending order."""
        kept, width = self._kept, self.width
        device = kept[0].device
        rows = torch.as_tensor(lanes, device=device)
        self.lanes, self.lengths, self._mask = len(lanes), self.lengths[lanes], None
        self._bands = band_slices(self.lanes, device)
        padded = torch.cat(
            [
                torch.nn.functional.pad(t, (0, 0, 0, max(0, width - t.shape[3])))[..., :width, :]
                for t in kept
            ],
            dim=1,
        )[:, rows]
        self._kept = [
            padded[:, band, :, : int(self.lengths[band].max())].contiguous() for band in self._bands
        ]

    def state_dict(self) -> State:
        """What the lanes hold."""
        return {"lengths": self.lengths, "kept": self._kept}

    def load_state_dict(self, state: State) -> None:
        """Has the lanes hold what others did, once they hold something of the same host."""
        self.lengths, self._mask = take(state, "lengths", self.lengths), None
        kept = dict(enumerate(parts(state, "kept")))
        self._kept = [
            take({"kept": kept.get(i)}, "kept", old, (*old.shape[:3], None, old.shape[4]))
            for i, old in enumerate(self._kept)
        ]

    @property
    def width(self) -> int:
        """Length of the longest source now held by a lane."""
        return int(self.lengths.max())

    @property
    def mask(self) -> Tensor:
        """True at real tokens, ``[lanes, width]``; not to be written to."""
        if self._mask is None:
            self._mask = torch.as_tensor(~self.padding, device=self._kept[0].device)
        return self._mask

    @property
    def padding(self) -> np.ndarray:
        """True where there is no token, ``[lanes, width]``."""
        padding: np.ndarray = self._columns[: self.width] >= self.lengths[:, None]
        return padding

    @property
    def layers(self) -> int:
        """How many layers of cross-attention there are."""
        return len(self._kept[0]) // 2

    def band(self, number: int) -> tuple[slice, list[tuple[Tensor, Tensor]]]:
        """A band's lanes, and each layer's keys and values ``[lanes, heads, width, d_head]``."""
        lanes = self._bands[number]
        views = self._kept[number][:, :, :, : int(self.lengths[lanes].max())].unbind(0)
        return lanes, list(zip(views[::2], views[1::2], strict=True))

    @property
    def bands(self) -> int:
        """How many bands the lanes form."""
        return len(self._bands)
