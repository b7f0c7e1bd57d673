"""What a training remembers, as plain data that goes into a checkpoint and comes back from it.

What has a state tells it by ``state_dict()`` and takes it back by ``load_state_dict(state)``, as
PyTorch's modules do. A state is a dictionary of tensors, arrays, and what JSON can hold; of lists
and of other such dictionaries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from rlattn.errors import InputError

State = dict[str, Any]

T = TypeVar("T")
_KEPT = (Tensor, np.ndarray, np.generic, bool, int, float)


def take(
    state: Mapping[str, Any], name: str, like: T, shape: Sequence[int | None] | None = None
) -> T:
    """A copy of a part of a state, once it is known to be what it should be.

    Args:
        state: As `state_dict` gave it.
        name: Of the part.
        like: A value of the same kind: a tensor or array of the same type and shape, a number, a
            text, a list or a dictionary. A tensor comes back on its device.
        shape: The shape of a tensor or an array, where that is not the same; None for an axis of
            any length.

    Raises:
        InputError: If there is no such part, or it is something else.
    """
    if name not in state:
        raise InputError(f"{name} is missing")
    value: Any = state[name]
    expected = like.shape if shape is None and isinstance(like, Tensor | np.ndarray) else shape
    if not _fits(value, like, expected):
        raise InputError(f"{name} is {_kind(value)}: expected {_kind(like, expected)}")
    if isinstance(value, Tensor) and isinstance(like, Tensor):
        return value.clone().to(like.device)  # type: ignore[return-value]
    # A tensor that comes from a file may begin at any byte, and a copy begins where others do: how
    # sums are taken can depend on that.
    copied: Any = value.copy() if isinstance(value, np.ndarray | list | dict) else value
    return copied  # type: ignore[no-any-return]


def _fits(value: object, like: object, shape: Sequence[int | None] | None) -> bool:
    if isinstance(like, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if type(value) is not type(like):
        return False
    if isinstance(value, Tensor | np.ndarray) and isinstance(like, Tensor | np.ndarray):
        assert shape is not None
        same = value.dtype == like.dtype and len(value.shape) == len(shape)
        return same and all(
            wanted in (None, found) for found, wanted in zip(value.shape, shape, strict=True)
        )
    return True


def _kind(value: object, shape: Sequence[int | None] | None = None) -> str:
    if isinstance(value, Tensor | np.ndarray):
        sizes = ", ".join("*" if size is None else str(size) for size in shape or value.shape)
        return f"{str(value.dtype).removeprefix('torch.')} [{sizes}]"
    return f"of the type {type(value).__name__}"


def part(state: Mapping[str, Any], name: str) -> State:
    """A dictionary in a state, see `take`."""
    found: State = take(state, name, {})
    return found


def parts(state: Mapping[str, Any], name: str) -> list[Any]:
    """A list in a state, see `take`."""
    found: list[Any] = take(state, name, [])
    return found


def attributes(thing: object) -> State:
    """The attributes of an object that are tensors, arrays or numbers."""
    return {name: value for name, value in vars(thing).items() if isinstance(value, _KEPT)}


def set_attributes(thing: object, state: Mapping[str, Any]) -> None:
    """Gives an object attributes back, as `attributes` gave them.

    Args:
        thing: An object of the same class.
        state: What else there is in it is left out.

    Raises:
        InputError: If an attribute has become something else.
    """
    for name, value in state.items():
        if not isinstance(value, _KEPT):
            continue
        now = getattr(thing, name, None)
        if now is not None and not isinstance(now, _KEPT):
            raise InputError(f"{name} is {_kind(value)}: expected {_kind(now)}")
        copied = value.clone() if isinstance(value, Tensor) else value
        setattr(thing, name, copied.copy() if isinstance(copied, np.ndarray) else copied)
