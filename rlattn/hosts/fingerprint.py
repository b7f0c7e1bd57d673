"""What identifies a host: a digest of its weights."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

_known: WeakKeyDictionary[nn.Module, tuple[tuple[int, ...], str]] = WeakKeyDictionary()


def fingerprint(model: nn.Module) -> str:
    """SHA-256 over the names, dtypes, shapes and bytes of a model's parameters and buffers.

    The digest is remembered per model object and computed anew when one was changed in
    place or exchanged.

    Args:
        model: Any model.

    Returns:
        64 hexadecimal digits.
    """
    named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    tensors = sorted(
        (part for name, tensor in named.items() for part in _parts(name, tensor)),
        key=lambda part: part[0],
    )
    state = tuple(number for _, t in tensors for number in (t.data_ptr(), t._version))
    if model in _known and _known[model][0] == state:
        return _known[model][1]
    digest = hashlib.sha256()
    for name, tensor in tensors:
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().view(-1)
        digest.update(flat.view(torch.uint8).numpy().data)
    _known[model] = state, digest.hexdigest()
    return digest.hexdigest()


def _parts(name: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    """A tensor, or those that it wraps, as a quantised weight wraps numbers and their scales."""
    if not hasattr(tensor, "__tensor_flatten__"):
        yield name, tensor
        return
    for part in tensor.__tensor_flatten__()[0]:
        yield from _parts(f"{name}.{part}", getattr(tensor, part))
