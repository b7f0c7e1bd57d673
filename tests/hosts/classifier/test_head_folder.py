"""Heads in folders: what is written comes back, and what is damaged is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from rlattn.errors import InputError
from rlattn.hosts.card import write_card
from rlattn.hosts.classifier import AttentionPool, HeadConfig, load_classifier
from rlattn.hosts.classifier.head_folder import (
    EncoderId,
    HeadCard,
    Kind,
    is_head,
    read_head,
    write_head,
)
from tests.hosts.classifier.small import LABELS

FILES = ("head.json", "head.safetensors")
HEADS: dict[Kind, nn.Module] = {
    "mean": nn.Linear(32, len(LABELS)),
    "pooled": AttentionPool(32, len(LABELS), heads=3),
}
CARD = HeadCard(
    kind="pooled",
    encoder=EncoderId("gone/away", "0" * 64),
    d_model=32,
    labels=("bad", "so la la", "good “ß”"),
    config=HeadConfig(heads=3, max_steps=None, max_minutes=0.5),
    corpus={"name": "moods", "fingerprint": "0"},
    validation={"whole": 1.0, "half": 0.75},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_head(tmp_path, CARD, HEADS["pooled"])
    return tmp_path


@pytest.mark.parametrize("kind", HEADS)
def test_what_is_written_comes_back(kind: Kind, tmp_path: Path) -> None:
    assert not is_head(tmp_path)
    write_head(tmp_path, replace(CARD, kind=kind), HEADS[kind])
    assert is_head(tmp_path)
    card, head = read_head(tmp_path)
    assert replace(card, weights_sha256="") == replace(CARD, kind=kind)
    assert type(head) is type(HEADS[kind])
    for name, tensor in head.state_dict().items():
        assert torch.equal(tensor, HEADS[kind].state_dict()[name])
    assert not any(weight.requires_grad for weight in head.parameters())


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1, exclude_max=True), byte=st.integers(1, 255))
def test_a_byte_of_the_weights_that_changes_is_noticed(
    folder: Path, where: float, byte: int
) -> None:
    content = (folder / FILES[1]).read_bytes()
    at = int(where * len(content))
    flipped = bytes([content[at] ^ byte])
    (folder / FILES[1]).write_bytes(content[:at] + flipped + content[at + 1 :])
    with pytest.raises(InputError, match=r"^head\.safetensors is damaged or was changed: [^\n]*$"):
        read_head(folder)
    (folder / FILES[1]).write_bytes(content)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_refused_in_one_line(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    with pytest.raises(InputError, match=rf"^classifier {folder}: {file}[^\n]*$"):
        load_classifier(folder)


def test_what_is_much_too_long_is_not_read(folder: Path) -> None:
    for name in reversed(FILES):
        with (folder / name).open("r+b") as file:
            file.truncate(2**40)  # a hole; it takes no room
        with pytest.raises(InputError, match=rf"{name}: found 1,099,511,627,776 bytes, expect"):
            read_head(folder)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a format that is not known": ({"format": 3}, "format 3, expected 2: train the head anew"),
    "no format": ({"format": None}, "format null, expected 2"),
    "another kind": ({"kind": "median"}, 'kind: found "median", expected mean or pooled'),
    "too wide": ({"d_model": 10**9}, "d_model: found 1000000000, expected 1 to 65,536"),
    "without width": ({"d_model": 0}, "d_model: found 0, expected"),
    "wider than its weights": ({"d_model": 65_536}, r"describes one that is float32 \[65536\]"),
    "too many heads": ({"config": {"heads": 10**9}}, "config: heads: found 1000000000"),
    "a training without end": ({"config": {"max_steps": None}}, "never end"),
    "a label that is no text": ({"labels": ["a", 1]}, r"labels\[1\]: found 1, expected text"),
    "a label too few": ({"labels": ["a", "b"]}, r"output.* describes one .* \[2"),
    "no fingerprint": (
        {"encoder": {"name": "x", "fingerprint": "none"}},
        'encoder: fingerprint: found "none", expected 64 hexadecimal digits',
    ),
    "a field too many": ({"colour": "red"}, "unknown field 'colour'"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_a_card_that_says_what_no_head_has_is_refused(
    folder: Path, change: dict[str, Any], message: str
) -> None:
    card = json.loads((folder / FILES[0]).read_text())
    (folder / FILES[0]).write_text(json.dumps({**card, **change}))
    with pytest.raises(InputError, match=message):
        read_head(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / FILES[1]).unlink()
    with pytest.raises(InputError, match=rf"^classifier {folder}: head\.safetensors is missing$"):
        load_classifier(folder)


def test_a_head_of_an_earlier_version_says_what_to_do(tmp_path: Path) -> None:
    save_file(HEADS["pooled"].state_dict(), tmp_path / "head.safetensors")
    write_card(tmp_path, {"kind": "pooled", "encoder": "0" * 64})
    message = r"head\.json is missing, .* trained anew when it is asked for by its encoder's name"
    with pytest.raises(InputError, match=message):
        load_classifier(tmp_path)
