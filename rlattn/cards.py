"""A card in JSON, and the weights of the same name beside it, which must fit each other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from rlattn.errors import InputError

_MARGIN = 2**20
"""The most bytes of a card, and of what stands before the numbers of the weights; both take a
few thousand. Nothing longer is read."""


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Puts before the message of an error what it is about.

    Raises:
        InputError: For any other, and for an `OSError`.
    """
    try:
        yield
    except (InputError, OSError) as error:
        raise InputError(f"{what}: {error}") from error


def read_text(path: Path) -> str:
    """The text of a card.

    Raises:
        InputError: If it is longer than any card, or not UTF-8.
    """
    try:
        return _content(path, _MARGIN).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is damaged ({error})") from error


def read_weights(
    path: Path, digest: str | None, expected: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors of a file, once they are known to be those that its card describes.

    Args:
        path: The file; its card has the same name, and ends in ``.json``.
        digest: The SHA-256 of the file; None where that is not known.
        expected: Tensors of the names, shapes and types that it must hold; they may be on the meta
            device, which takes no memory.

    Raises:
        InputError: If the file is larger than these, is damaged, or holds something else.
    """
    of, card = path.stem, path.with_suffix(".json").name
    content = _content(path, sum(map(_bytes, expected.values())) + _MARGIN)
    found = hashlib.sha256(content).hexdigest()
    if digest not in (None, found):
        raise InputError(
            f"{path.name} is damaged or was changed: its SHA-256 is {found}, {card} says "
            f"{digest}: save the {of} anew, or fetch it again"
        )
    try:
        weights = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path.name} is damaged ({reason})") from error
    for name in sorted(weights.keys() ^ expected.keys()):
        state = "is missing" if name in expected else f"is none of this {of}'s"
        raise InputError(f"{path.name}: the tensor {name!r} {state}, as {card} describes it")
    for name, needed in expected.items():
        if _kind(weights[name]) != _kind(needed):
            raise InputError(
                f"{path.name}: the tensor {name!r} is {_kind(weights[name])}, and {card} "
                f"describes one that is {_kind(needed)}"
            )
        if not weights[name].isfinite().all():
            raise InputError(f"{path.name}: the tensor {name!r} holds numbers that are not finite")
    return weights


def _content(path: Path, most: int) -> bytes:
    if (size := path.stat().st_size) > most:
        raise InputError(f"{path.name}: found {size:,} bytes, expected at most {most:,}")
    return path.read_bytes()


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
