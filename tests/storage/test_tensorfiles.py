"""Safetensors from outside: what a file says that it holds is compared before its numbers count."""

from __future__ import annotations

import json
import math
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from rlattn.errors import InputError
from rlattn.storage.tensorfiles import Form, all_finite, read_forms, read_tensors

DTYPES = (
    *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
)


def container(header: dict[str, Any] | bytes, numbers: bytes = b"") -> bytes:
    """A file of safetensors with any header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def entry(dtype: str = "F32", shape: Any = (1,), span: Any = (0, 4)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": span}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    tensors=st.dictionaries(
        st.from_regex(r"[a-z_0-9]{1,9}(\.[a-z_0-9]{1,9}){0,3}", fullmatch=True),
        st.tuples(st.sampled_from(DTYPES), st.lists(st.integers(0, 4), max_size=4)),
        max_size=6,
    )
)
def test_what_the_library_writes_is_read(tmp_path: Path, tensors: dict[str, Any]) -> None:
    path = tmp_path / "state.safetensors"
    written = {name: torch.ones(shape).to(dtype) for name, (dtype, shape) in tensors.items()}
    save_file(written, path, metadata={"format": "pt"})
    forms = {name: Form.of(tensor) for name, tensor in written.items()}
    assert read_forms(path) == forms
    read = read_tensors(path, forms)
    assert {name: tensor.tolist() for name, tensor in read.items()} == {
        name: tensor.tolist() for name, tensor in written.items()
    }


HEADERS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "it does not begin with a header"),
    "a header beyond the end": (struct.pack("<Q", 100), "it does not begin with a header"),
    "a header beyond all": (struct.pack("<Q", 2**63) + b"{}", "it does not begin with a header"),
    "no JSON": (container(b"hello"), "its header is no JSON"),
    "no object": (container(b"[]"), r"its header is \[\]"),
    "deep": (container(b"[" * 100_000), "nested too deeply"),
    "a name twice": (container(b'{"a": {}, "a": {}}'), "the key 'a' stands there twice"),
    "a path": (container({"../../a": entry()}, bytes(4)), "is no name of a tensor"),
    "a path from the root": (container({"/etc/a": entry()}, bytes(4)), "is no name of a tensor"),
    "a path of Windows": (container({"..\\a": entry()}, bytes(4)), "is no name of a tensor"),
    "a name of dots": (container({"..": entry()}, bytes(4)), "is no name of a tensor"),
    "an escape": (container({"\x1b[2Ja": entry()}, bytes(4)), "is no name of a tensor"),
    "no entry": (container({"a": 1}), "the tensor 'a' is of type null"),
    "an unknown type": (container({"a": entry("X1")}, bytes(4)), 'is of type "X1"'),
    "a type that is no text": (container({"a": entry([])}, bytes(4)), r"is of type \[\]"),  # type: ignore[arg-type]
    "no shape": (container({"a": entry(shape=None)}, bytes(4)), "is of shape null"),
    "a negative shape": (container({"a": entry(shape=[-1])}, bytes(4)), r"is of shape \[-1\]"),
    "a shape of halves": (container({"a": entry(shape=[0.5])}, bytes(4)), "is of shape"),
    "a shape of truths": (container({"a": entry(shape=[True])}, bytes(4)), "is of shape"),
    "many dimensions": (container({"a": entry(shape=[1] * 17)}, bytes(4)), "is of shape"),
    "a huge shape": (container({"a": entry(shape=[2**50])}, bytes(4)), "another number of bytes"),
    "a shape that overflows to 0": (
        container({"a": entry(shape=[2**32, 2**32], span=(0, 0))}),
        "another number of bytes",
    ),
    "a shape that overflows to 1": (
        container({"a": entry(shape=[2**62, 4, 1], span=(0, 4))}, bytes(4)),
        "another number of bytes",
    ),
    "a place before the file": (container({"a": entry(span=(-4, 0))}), "another number of bytes"),
    "a place that ends before it begins": (
        container({"a": entry(span=(8, 4))}, bytes(8)),
        "another number of bytes",
    ),
    "a place of one number": (container({"a": entry(span=(4,))}, bytes(4)), "another number"),
    "a place beyond the end": (container({"a": entry()}), "describes 73 bytes, and it has 69"),
    "numbers that nobody owns": (container({"a": entry()}, bytes(9)), "and it has 78"),
    "tensors that overlap": (
        container({"a": entry(), "b": entry()}, bytes(4)),
        "its tensors overlap, or leave gaps",
    ),
    "a gap": (container({"a": entry(span=(4, 8))}, bytes(8)), "overlap, or leave gaps"),
}


@pytest.mark.parametrize(("content", "message"), HEADERS.values(), ids=HEADERS)
def test_a_header_that_is_none_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"^state\.safetensors is damaged \(.*{message}[^\n]*\)$"):
        read_forms(path)
    with pytest.raises(InputError, match=rf"^state\.safetensors is damaged \(.*{message}[^\n]*\)$"):
        read_tensors(path, {"a": Form(torch.float32, (1,))})


def test_no_memory_is_taken_for_what_was_not_expected(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    rows = 2**22  # 16 MB, a hole in the file that takes no room
    header = container({"a": entry(shape=[rows], span=(0, 4 * rows))})
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(len(header) + 4 * rows)
    expected = {
        "another shape": {"a": Form(torch.float32, (rows // 2, 2))},
        "another type": {"a": Form(torch.int32, (rows,))},
        "another name": {"b": Form(torch.float32, (rows,))},
    }
    for forms in expected.values():
        tracemalloc.start()
        with pytest.raises(InputError, match="the tensor 'a' is"):
            read_tensors(path, forms)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**20
    with pytest.raises(InputError, match="expected at most 1,000"):
        read_tensors(path, {"a": Form(torch.float32, (rows,))}, most=1000)
    assert read_tensors(path, {"a": Form(torch.float32, (rows,))})["a"].sum() == 0


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("dtype", [dtype for dtype in DTYPES if dtype.is_floating_point])
def test_numbers_that_are_not_finite_are_refused_unless_they_may_be(
    number: float, dtype: torch.dtype, tmp_path: Path
) -> None:
    tensor = torch.tensor([0.0, number]).to(dtype)
    if all_finite(tensor.float()):
        pytest.skip(f"{dtype} has no {number}")
    path = tmp_path / "state.safetensors"
    path.write_bytes(save({"a": tensor}))
    forms = {"a": Form.of(tensor)}
    with pytest.raises(InputError, match="the tensor 'a' holds numbers that are not finite"):
        read_tensors(path, forms)
    assert read_tensors(path, forms, finite=False).keys() == {"a"}


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"state\.safetensors cannot be read \(No such file"):
        read_tensors(tmp_path / "state.safetensors", {})
