"""The card of a policy: what ``policy.json`` says of it, and how that is read and written."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from rlattn.errors import InputError
from rlattn.inference.record import LabelScores, Scores, Training
from rlattn.policy import PolicyConfig
from rlattn.reading import Reading
from rlattn.storage.fields import read
from rlattn.storage.jsonfiles import parse_object, shown

FORMAT = 2
_WIDEST = 2**16
"""No host is as wide; a larger number is a mistake, and must not be built."""


@dataclass(frozen=True)
class HostId:
    """Which host a policy was trained on.

    Attributes:
        name: What `load_host` took: a hub id, a folder, ``embedded``.
        fingerprint: The digest of its weights, 64 hexadecimal digits.
    """

    name: str
    fingerprint: str


@dataclass(frozen=True)
class FamilyOrigin:
    """Where the action family of a policy comes from.

    Attributes:
        steering: How its allocations steer, such as ``gate``.
        module: The module that registered it.
    """

    steering: str
    module: str


@dataclass(frozen=True)
class PolicyCard:
    """What ``policy.json`` says.

    Attributes:
        host: The host that the policy was trained on.
        policy: What its network is built from, the name of the action family first.
        family: Where that comes from; None in folders of format 1.
        weights_sha256: SHA-256 of ``policy.safetensors``; None in folders of format 1.
        training: How it came about, where that is known.
        scores: What was measured of it, if anything was and the host is a translator.
        reading: How it reads texts, where the host is a classifier.
        labels: What that tells apart, in the order of its logits: its own folder may only number
            them.
        label_scores: What was measured of such a policy, if anything was.
    """

    host: HostId
    policy: PolicyConfig
    family: FamilyOrigin | None = None
    weights_sha256: str | None = None
    training: Training | None = None
    scores: Scores | None = None
    reading: Reading | None = None
    labels: tuple[str, ...] | None = None
    label_scores: LabelScores | None = None


@dataclass(frozen=True)
class _Format1:
    """What the first version of rlattn wrote."""

    host: HostId
    policy: PolicyConfig


def dump(card: PolicyCard) -> str:
    """The text of ``policy.json``.

    Raises:
        InputError: If something in the card is of a kind that would not be read again.
    """
    data = {"format": FORMAT, **{key: value for key, value in asdict(card).items() if value}}
    text = json.dumps({**data, "card_sha256": _digest(data)}, indent=2) + "\n"
    parse_card(text)
    return text


def parse_card(text: str) -> PolicyCard:
    """The card that stands in the text of ``policy.json``.

    Raises:
        InputError: If the text is damaged, or says what no policy has; tells which field, what was
            found, and what was expected.
    """
    data = parse_object(text, "policy.json")
    version = data.pop("format", None)
    if version == 1 and version is not True:
        first = read(_Format1, data, "policy.json")
        return _check(PolicyCard(first.host, first.policy))
    if version != FORMAT:
        raise InputError(
            f"policy.json: format {shown(version)}, expected {FORMAT}: it was saved by a later "
            "version of rlattn, or is no policy"
        )
    digest = data.pop("card_sha256", None)
    card = _check(read(PolicyCard, data, "policy.json"))
    for name in ("family", "weights_sha256"):
        if getattr(card, name) is None:
            raise InputError(f"policy.json: the field {name} is missing")
    expected = _digest({"format": FORMAT, **data})
    if digest != expected:
        raise InputError(
            f"policy.json was changed after it was saved: its fields have SHA-256 {expected}, and "
            f"card_sha256 says {shown(digest)}: save the policy anew, or fetch it again"
        )
    return card


def _digest(data: dict[str, Any]) -> str:
    """SHA-256 over the fields in an order and a spelling that do not depend on who wrote them."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _check(card: PolicyCard) -> PolicyCard:
    """The same card, whose values are such as a policy has."""
    for name in ("d_model", "d_state", "width"):
        if not 1 <= (number := getattr(card.policy, name)) <= _WIDEST:
            raise InputError(
                f"policy.json: policy: {name}: found {number}, expected 1 to {_WIDEST:,}"
            )
    if card.reading is not None and not 1 <= card.reading.steps <= card.policy.d_state:
        raise InputError(
            f"policy.json: reading: steps: found {card.reading.steps}, expected 1 to "
            f"{card.policy.d_state}"
        )
    if card.reading is not None and card.labels is not None:
        width = card.reading.d_state(len(card.labels))
        if width != card.policy.d_state:
            raise InputError(
                f"policy.json: labels: found {len(card.labels)}, which take a d_state of {width}, "
                f"and the policy has one of {card.policy.d_state}"
            )
    texts = {
        "host: name": (card.host.name, r"\S|\S.*\S", "a name in one line"),
        "host: fingerprint": (card.host.fingerprint, "[0-9a-f]{64}", "64 hexadecimal digits"),
    }
    if card.weights_sha256 is not None:
        texts["weights_sha256"] = (card.weights_sha256, "[0-9a-f]{64}", "64 hexadecimal digits")
    if card.family is not None:
        texts["family: module"] = (card.family.module, r"[^\W\d]\w*(\.[^\W\d]\w*)*", "a module")
    for name, (found, pattern, expected) in texts.items():
        if not re.fullmatch(pattern, found) or not found.isprintable():
            raise InputError(f"policy.json: {name}: found {shown(found)}, expected {expected}")
    return card
