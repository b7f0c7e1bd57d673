"""Folders of trained heads: a card that says which encoder is theirs, and weights that fit it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import torch
from safetensors.torch import save
from torch import Tensor, nn

from rlattn.errors import InputError
from rlattn.hosts.classifier.head import HeadConfig
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.storage.fields import read
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import read_object, shown
from rlattn.storage.tensorfiles import Form, read_tensors

Kind = Literal["mean", "pooled"]
"""What a head is put on: the mean of an encoder's states, or what its queries pool of them."""

FORMAT = 2
"""Raised when the same corpus, encoder and config give another folder."""

CARD, WEIGHTS = "head.json", "head.safetensors"
_WIDEST = 2**16
"""No encoder is as wide; a larger number is a mistake, and must not be built."""


@dataclass(frozen=True)
class EncoderId:
    """Which encoder a head was trained on.

    Attributes:
        name: A folder, a hub id, or ``minilm``.
        fingerprint: The digest of its weights, 64 hexadecimal digits.
    """

    name: str
    fingerprint: str


@dataclass(frozen=True)
class HeadCard:
    """What ``head.json`` says.

    Attributes:
        kind: See `Kind`.
        encoder: The encoder that the head was trained on.
        d_model: Width of its states.
        labels: What the head tells apart, in the order of its logits.
        config: Shape and training.
        corpus: Name and fingerprint of what it was trained on.
        validation: How well encoder and head label the validation texts.
        weights_sha256: SHA-256 of ``head.safetensors``.
    """

    kind: str
    encoder: EncoderId
    d_model: int
    labels: tuple[str, ...]
    config: HeadConfig
    corpus: dict[str, str]
    validation: dict[str, float]
    weights_sha256: str = ""


def write_head(folder: Path, card: HeadCard, head: nn.Module) -> None:
    """Writes a head into an empty folder.

    Args:
        folder: Where to.
        card: What is known of the head, but for the digest.
        head: An `nn.Linear` or an `AttentionPool`, as the card's kind has it.
    """
    content = save({name: _plain(tensor) for name, tensor in head.state_dict().items()})
    (folder / WEIGHTS).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    data = {"format": FORMAT, **asdict(card), "weights_sha256": digest}
    (folder / CARD).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def is_head(folder: str | Path) -> bool:
    """Whether a folder was meant to hold a head, whole or not."""
    return any((Path(folder) / file).is_file() for file in (CARD, WEIGHTS))


def read_head(folder: Path) -> tuple[HeadCard, nn.Module]:
    """Reads a head; no code is executed, and nothing larger is built than what the files hold.

    Args:
        folder: Where it is.

    Returns:
        Its card, and its network on the CPU, frozen.

    Raises:
        InputError: If a file is missing, cut, or changed after it was written, or if one does not
            fit the other.
    """
    if not (folder / CARD).exists():
        raise InputError(
            f"{CARD} is missing, which tells whose head it is; one of an earlier version is "
            "trained anew when it is asked for by its encoder's name, with a corpus"
        )
    said, numbers = (file_in(folder, file) for file in (CARD, WEIGHTS))
    card = _parse(read_object(said))
    with torch.device("meta"):
        expected = _untrained(card).state_dict()
    forms = {name: Form.of(tensor) for name, tensor in expected.items()}
    weights = read_tensors(numbers, forms, digest=card.weights_sha256)
    head = _untrained(card)
    head.load_state_dict(weights)
    return card, head.eval().requires_grad_(False)


def _parse(data: dict[str, Any]) -> HeadCard:
    """The card that ``head.json`` holds, whose values are such as a head has."""
    version = data.pop("format", None)
    if version != FORMAT:
        raise InputError(f"{CARD}: format {shown(version)}, expected {FORMAT}: train the head anew")
    card = read(HeadCard, data, CARD)
    if card.kind not in get_args(Kind):
        expected = " or ".join(get_args(Kind))
        raise InputError(f"{CARD}: kind: found {shown(card.kind)}, expected {expected}")
    for name, number in (("d_model", card.d_model), ("config: heads", card.config.heads)):
        if not 1 <= number <= _WIDEST:
            raise InputError(f"{CARD}: {name}: found {number}, expected 1 to {_WIDEST:,}")
    digests = {
        "encoder: fingerprint": card.encoder.fingerprint,
        "weights_sha256": card.weights_sha256,
    }
    for name, found in digests.items():
        if not re.fullmatch("[0-9a-f]{64}", found):
            raise InputError(
                f"{CARD}: {name}: found {shown(found)}, expected 64 hexadecimal digits"
            )
    return card


def _untrained(card: HeadCard) -> nn.Module:
    if cast(Kind, card.kind) == "mean":
        return nn.Linear(card.d_model, len(card.labels))
    return AttentionPool(card.d_model, len(card.labels), card.config.heads)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()
