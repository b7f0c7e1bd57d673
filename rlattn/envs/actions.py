"""Actions as agents give them: read strictly, so that none is taken for another."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Discrete, MultiBinary, MultiDiscrete
from torch import Tensor

from rlattn.errors import InputError


def as_tensor(actions: object) -> Tensor:
    """Numbers as a tensor, float32 unless they are one already.

    Args:
        actions: An array, or what NumPy makes one of.

    Raises:
        InputError: If they are no numbers.
    """
    if isinstance(actions, Tensor):
        return actions
    try:
        found = np.asarray(actions)
    except (ValueError, TypeError) as error:
        raise InputError(f"actions are no array: {error}") from error
    if found.dtype.kind not in "biuf":
        raise InputError(f"actions of type {found.dtype}: expected an array of numbers")
    with np.errstate(over="ignore"):  # what becomes infinite is refused as such
        return torch.tensor(np.ascontiguousarray(found, np.float32)).reshape(found.shape)


class ActionReader:
    """Makes sure that there is an action of a space for each lane.

    Boxes are clipped by whoever trains, so that finite numbers outside of them are no mistake.

    Args:
        space: Of one lane.
        lanes: How many there are.
        size: How many numbers an action has.
    """

    def __init__(self, space: gymnasium.Space[Any], lanes: int, size: int) -> None:
        self._space, self._lanes, self._size = space, lanes, size
        self._range: tuple[Tensor, Tensor] | None = None
        if isinstance(space, MultiBinary):
            self._range = torch.zeros(size), torch.ones(size)
        elif isinstance(space, Discrete | MultiDiscrete):
            count = space.n if isinstance(space, Discrete) else space.nvec
            first = np.broadcast_to(space.start, space.shape or (1,)).astype(np.float32).reshape(-1)
            self._range = torch.tensor(first), torch.tensor(first + np.ravel(count) - 1).float()

    def read(self, actions: object) -> Tensor:
        """The actions, float32, ``[lanes, size]``.

        Args:
            actions: ``[lanes, ...]``.

        Raises:
            InputError: If they have another shape, are no numbers, or leave the space.
        """
        given = as_tensor(actions)
        if given.is_complex() or given.layout != torch.strided or given.is_meta:
            raise InputError(
                f"actions of type {given.dtype} ({given.layout}, on {given.device}): expected an "
                "array of numbers"
            )
        if given.shape[:1] != (self._lanes,) or given.numel() != self._lanes * self._size:
            raise InputError(
                f"actions of shape {list(given.shape)}: expected one for each of {self._lanes} "
                f"lanes, each of {self._size} numbers, for the space is {self._space}"
            )
        rows = given.reshape(self._lanes, self._size).float()
        if self._range is None:
            fits = rows.isfinite()
        else:
            low, high = (end.to(rows.device) for end in self._range)
            fits = (rows >= low) & (rows <= high) & (rows == rows.round())
        if not bool(fits.all()):
            lane, place = (~fits).nonzero()[0].tolist()
            expected = "finite numbers" if self._range is None else f"an action of {self._space}"
            raise InputError(
                f"the action of lane {lane} holds {rows[lane, place].item():g}: expected {expected}"
            )
        return rows
