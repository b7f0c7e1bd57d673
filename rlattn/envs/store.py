"""Rows that observations name by two numbers, a store's and a row's, instead of carrying them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import count
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor, nn

from rlattn.storage.state import State, take

_stores: WeakValueDictionary[int, Rows] = WeakValueDictionary()
_ids = count()


class Rows(ABC):
    """Rows of numbers, each with a name.

    Attributes:
        id: The number by which it is found.
    """

    def __init__(self) -> None:
        self.id = next(_ids)
        _stores[self.id] = self

    @staticmethod
    def find(number: int) -> Rows:
        """The rows with that number.

        Raises:
            LookupError: If they are gone, or belong to another process.
        """
        if number not in _stores:
            raise LookupError(
                f"row store {number} is gone: handles can be read only in the process of the "
                "environment that gave them, and while it lives"
            )
        return _stores[number]

    @abstractmethod
    def gather(self, names: Tensor) -> Tensor:
        """The rows of the given names, int64 of any shape, ``[*names.shape, width]``.

        Raises:
            LookupError: If there is no such row any more.
        """

    def handles(self, names: np.ndarray) -> np.ndarray:
        """What to carry instead of rows: int64, ``[names, 2]``."""
        return np.stack([np.full(len(names), self.id), names], axis=1)


class EmbeddingRows(Rows):
    """What a token embedding gives, by token id.

    Args:
        embedding: The module.
    """

    def __init__(self, embedding: nn.Module) -> None:
        super().__init__()
        self._embedding = embedding

    @torch.no_grad()
    def gather(self, names: Tensor) -> Tensor:
        """The embeddings of the given tokens, float32."""
        rows: Tensor = self._embedding(names).float()
        return rows


class RowStore(Rows):
    """A ring of rows in which an episode keeps what many of its steps need, stored once.

    No name is ever used twice.

    Args:
        width: Numbers in a row.
        dtype: Their type.
        device: Where they are kept.
    """

    def __init__(self, width: int, dtype: torch.dtype, device: torch.device) -> None:
        super().__init__()
        self._rows = torch.zeros(1024, width, dtype=dtype, device=device)
        self._first = self._end = 0

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

    def state_dict(self, first: int) -> State:
        """The rows from the given name on."""
        first = max(first, self._first)
        return {"first": first, "rows": self._rows[self._places(first, self._end - first)]}

    def load_state_dict(self, state: State) -> None:
        """Holds these rows, by the names that they have, and no others."""
        rows = take(state, "rows", self._rows, (None, self._rows.shape[1]))
        self._first = self._end = take(state, "first", 0)
        self.append(rows)

    def _places(self, first: int, count: int) -> Tensor:
        return torch.arange(first, first + count, device=self._rows.device) % len(self._rows)

    def _grow(self, needed: int) -> None:
        live = self._rows[self._places(self._first, self._end - self._first)]
        size = len(self._rows)
        while size < needed:
            size *= 2
        self._rows = live.new_zeros(size, live.shape[1])
        self._rows[self._places(self._first, len(live))] = live
