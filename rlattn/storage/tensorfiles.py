"""Safetensors from outside: names, shapes and types are compared before any number is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from rlattn.errors import InputError
from rlattn.storage.folders import opened, read_bytes, size_of
from rlattn.storage.jsonfiles import parse, shown

LARGEST = 2**31
"""The most bytes of a file, where nobody says otherwise; a policy takes less than a million."""

_LENGTH = 8
_LONGEST_HEADER = 2**24
_MOST_DIMENSIONS = 16
_NAME = re.compile(r"[\w:-]+(\.[\w:-]+)*", re.ASCII)
"""Words with dots between them, as PyTorch's own are: none leads into a folder or out of one."""

_TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


class Form(NamedTuple):
    """What a tensor is, but for its numbers.

    Attributes:
        dtype: Their type.
        shape: How many there are.
    """

    dtype: torch.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, tensor: Tensor) -> Form:
        """That of a tensor, which may be on the meta device."""
        return cls(tensor.dtype, tuple(tensor.shape))

    @property
    def numbers(self) -> int:
        """How many numbers there are."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """What they take."""
        return self.numbers * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{str(self.dtype).removeprefix('torch.')} {list(self.shape)}"


def read_forms(path: Path) -> dict[str, Form]:
    """What a file says that it holds; its numbers are not read.

    Args:
        path: A file in safetensors.

    Raises:
        InputError: If its header is no such header, or describes more or less than the file has.
    """
    with opened(path) as file:
        size = size_of(file)
        length = int.from_bytes(file.read(_LENGTH), "little")
        if not 2 <= length <= min(_LONGEST_HEADER, size - _LENGTH):
            raise _damaged(path, "it does not begin with a header of safetensors")
        header = file.read(length)
    try:
        data = parse(header.decode("utf-8"))
    except ValueError as error:
        raise _damaged(path, f"its header is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise _damaged(path, f"its header is {shown(data)}")
    data.pop("__metadata__", None)
    forms, spans = {}, []
    for name, entry in data.items():
        if not _NAME.fullmatch(name):
            raise _damaged(path, f"{shown(name)} is no name of a tensor")
        form, span = _entry(path, name, entry)
        forms[name] = form
        # Those without numbers may stand anywhere.
        spans += [span] if form.bytes else []
    end = 0
    for begin, following in sorted(spans):
        if begin != end:
            raise _damaged(path, "its tensors overlap, or leave gaps")
        end = following
    if _LENGTH + length + end != size:
        raise _damaged(
            path, f"its header describes {_LENGTH + length + end:,} bytes, and it has {size:,}"
        )
    return forms


def read_tensors(
    path: Path,
    expected: Mapping[str, Form],
    *,
    digest: str | None = None,
    card: str | None = None,
    finite: bool = True,
    most: int = LARGEST,
) -> dict[str, Tensor]:
    """The tensors of a file, once it is known that they are those that are expected.

    Args:
        path: A file in safetensors.
        expected: All that it must hold, by name.
        digest: The SHA-256 of the file; None where that is not known.
        card: The file that says what is expected, for messages; by default the one of the same name
            that ends in ``.json``.
        finite: Whether a number that is NaN or infinite is refused.
        most: How many bytes the file may have.

    Raises:
        InputError: If the file is damaged, larger, or holds something else; before any memory is
            taken for its numbers, if its header shows it.
    """
    of, card = path.stem, card or path.with_suffix(".json").name
    most = min(most, sum(form.bytes for form in expected.values()) + _LONGEST_HEADER)
    with opened(path) as file:
        if (size := size_of(file)) > most:
            raise InputError(f"{path.name}: found {size:,} bytes, expected at most {most:,}")
        # Little by little: so far it is only known that the file is not larger than it may be.
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if digest not in (None, found):
        raise InputError(
            f"{path.name} is damaged or was changed: its SHA-256 is {found}, {card} says "
            f"{digest}: save the {of} anew, or fetch it again"
        )
    forms = read_forms(path)
    for name in sorted(forms.keys() ^ expected.keys()):
        state = "is missing" if name in expected else f"is none of this {of}'s"
        raise InputError(f"{path.name}: the tensor {name!r} {state}, as {card} describes it")
    for name, form in expected.items():
        if forms[name] != form:
            raise InputError(
                f"{path.name}: the tensor {name!r} is {forms[name]}, and {card} describes one that "
                f"is {form}"
            )
    try:
        tensors = load(read_bytes(path, size))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from error
    if finite:
        for name, tensor in tensors.items():
            if not all_finite(tensor):
                raise InputError(
                    f"{path.name}: the tensor {name!r} holds numbers that are not finite"
                )
    return tensors


def all_finite(tensor: Tensor) -> bool:
    """Whether no number is NaN or infinite."""
    # Types of a byte have no test of their own.
    small = tensor.is_floating_point() and tensor.element_size() == 1
    return bool((tensor.float() if small else tensor).isfinite().all())


def _entry(path: Path, name: str, entry: object) -> tuple[Form, tuple[int, int]]:
    """What the header says of one tensor, and where in the file it says that it stands."""
    fields = entry if isinstance(entry, dict) else {}
    dtype = fields.get("dtype")
    if not isinstance(dtype, str) or dtype not in _TYPES:
        raise _damaged(path, f"the tensor {name!r} is of type {shown(dtype)}")
    shape = _whole(fields.get("shape"))
    if shape is None or len(shape) > _MOST_DIMENSIONS:
        raise _damaged(path, f"the tensor {name!r} is of shape {shown(fields.get('shape'))}")
    form = Form(_TYPES[dtype], shape)
    span = _whole(fields.get("data_offsets"))
    if span is None or len(span) != 2 or span[1] - span[0] != form.bytes:
        raise _damaged(
            path,
            f"the tensor {name!r} is {dtype} {shown(list(shape))}, which takes another number of "
            f"bytes than its place in the file, {shown(fields.get('data_offsets'))}",
        )
    return form, (span[0], span[1])


def _whole(values: object) -> tuple[int, ...] | None:
    """A list of numbers from 0 on, of 63 bits, or None if it is something else."""
    if not isinstance(values, list):
        return None
    fits = all(type(each) is int and 0 <= each < 2**63 for each in values)
    return tuple(values) if fits else None


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path.name} is damaged ({reason})")
