"""A ring of rows in which an episode keeps what many of its steps need, stored once."""

from __future__ import annotations

from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

_stores: WeakValueDictionary[int, RowStore] = WeakValueDictionary()
_next_id = 0


class RowStore:
    """Rows that are named by a number which is never used twice.

    Observations carry two numbers, the store's and a row's, instead of the rows themselves.

    Args:
        width: Numbers in a row.
        dtype: Their type.
        device: Where they are kept.
    """

    def __init__(self, width: int, dtype: torch.dtype, device: torch.device) -> None:
        global _next_id
        self.id, _next_id = _next_id, _next_id + 1
        _stores[self.id] = self
        self._rows = torch.zeros(1024, width, dtype=dtype, device=device)
        self._first = self._end = 0

    @classmethod
    def find(cls, number: int) -> RowStore:
        """The store with that number.

        Raises:
            LookupError: If it is gone, or belongs to another process.
        """
        if number not in _stores:
            raise LookupError(
                f"row store {number} is gone: handles can be read only in the process of the "
                "environment that gave them, and while it lives"
            )
        return _stores[number]

    @property
    def end(self) -> int:
        """The name of the row that will be appended next."""
        return self._end

    def append(self, rows: Tensor) -> int:
        """Adds rows ``[count, width]`` and returns the name of the first."""
        needed = self._end + len(rows) - self._first
        if needed > len(self._rows):
            self._grow(needed)
        self._rows[self._places(self._end, len(rows))] = rows.to(self._rows)
        self._end += len(rows)
        return self._end - len(rows)

    def release(self, before: int) -> None:
        """Allows rows older than `before` to be written over."""
        self._first = max(self._first, min(before, self._end))

    def names(self, numbers: np.ndarray) -> Tensor:
        """Names as `gather` takes them, on the store's device."""
        return torch.as_tensor(numbers, device=self._rows.device)

    def gather(self, names: Tensor) -> Tensor:
        """The rows of the given names, int64 of any shape, ``[*names.shape, width]``.

        Raises:
            LookupError: If a name was released.
        """
        if names.numel() and int(names.min()) < self._first:
            raise LookupError(
                "an observation refers to an episode that was dropped: make the environment's "
                "`horizon` at least as long as the rollouts that are kept"
            )
        return self._rows[names % len(self._rows)]

    def _places(self, first: int, count: int) -> Tensor:
        return torch.arange(first, first + count, device=self._rows.device) % len(self._rows)

    def _grow(self, needed: int) -> None:
        live = self._rows[self._places(self._first, self._end - self._first)]
        size = len(self._rows)
        while size < needed:
            size *= 2
        self._rows = live.new_zeros(size, live.shape[1])
        self._rows[self._places(self._first, len(live))] = live
