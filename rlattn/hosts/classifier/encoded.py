"""Texts as a classifier keeps them: what a policy sees of their tokens, and what judging needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from rlattn.storage.state import State, take


@dataclass(frozen=True)
class EncodedTexts:
    """What a classifier keeps of some texts; special tokens are not among their positions.

    Attributes:
        memory: What a policy sees of the tokens, ``[rows, source, d_model]``.
        mask: True at real tokens, ``[rows, source]``.
    """

    memory: Tensor
    mask: Tensor

    def take(self, rows: Tensor) -> Self:
        """Returns the given rows, integer ``[rows]``; one may be there several times."""
        return type(self)(**{name: tensor[rows] for name, tensor in self._tensors()})

    def put(self, rows: Tensor, texts: Self) -> Self:
        """Returns the same with other texts in some rows, in place where there are columns enough.

        Args:
            rows: Which, int64, ``[count]``.
            texts: As many texts, which the same host encoded.
        """
        changed = {}
        for name, tensor in self._tensors():
            new = getattr(texts, name)
            if new.shape[1] > tensor.shape[1]:
                wide = tensor.new_zeros(len(tensor), *new.shape[1:])
                wide[:, : tensor.shape[1]] = tensor
                tensor = wide
            tensor[rows] = 0
            tensor[rows, : new.shape[1]] = new
            changed[name] = tensor
        return type(self)(**changed)

    def state_dict(self) -> State:
        """All tensors, by name."""
        return dict(self._tensors())

    def like(self, state: State) -> Self:
        """Returns others of the same host, from their state."""
        rows = len(take(state, "mask", self.mask, (None, None)))
        return type(self)(
            **{
                name: take(state, name, tensor, (rows, None, *tensor.shape[2:]))
                for name, tensor in self._tensors()
            }
        )

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Returns the rows of all parts, which one host encoded, one after the other."""
        named = zip(*(part._tensors() for part in parts), strict=True)
        return type(parts[0])(**{same[0][0]: _stacked([t for _, t in same]) for same in named})

    def _tensors(self) -> list[tuple[str, Any]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


def _stacked(tensors: list[Tensor]) -> Tensor:
    """Concatenates ``[rows, columns, ...]`` with zeros (False) behind what has fewer columns."""
    rows, columns = sum(map(len, tensors)), max(tensor.shape[1] for tensor in tensors)
    whole = tensors[0].new_zeros(rows, columns, *tensors[0].shape[2:])
    for part, tensor in zip(torch.split(whole, [len(t) for t in tensors]), tensors, strict=True):
        part[:, : tensor.shape[1]] = tensor
    return whole
