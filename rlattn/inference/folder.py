"""Policy folders: a card, and weights that fit it; whatever else stands there is left alone."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from rlattn.actions import ActionFamily
from rlattn.actions.per_layer import PerLayer
from rlattn.errors import InputError, explained
from rlattn.inference.card import FORMAT, FamilyOrigin, HostId, PolicyCard, dump, parse_card
from rlattn.inference.record import LabelScores, Scores, Training
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading
from rlattn.storage.files import make_folder, write_file
from rlattn.storage.folders import file_in
from rlattn.storage.jsonfiles import read_text, shown
from rlattn.storage.tensorfiles import Form, read_tensors
from rlattn.visible import visible

CARD, WEIGHTS, PICTURE = "policy.json", "policy.safetensors", "attention.png"
_CRITIC = "value."


def write_folder(
    folder: Path,
    policy: AttentionPolicy,
    host: HostId,
    training: Training | None = None,
    scores: Scores | LabelScores | None = None,
    reading: Reading | None = None,
    labels: tuple[str, ...] | None = None,
) -> None:
    """Writes a policy into a folder, which is made; each file is there whole or not at all.

    Args:
        folder: Where to; files of an earlier policy are replaced.
        policy: The network. What acts is kept to the bit; what only judges, the value network, is
            kept in half precision.
        host: What it was trained on.
        training: How it came about.
        scores: What was measured.
        reading: How it reads texts, where the host is a classifier.
        labels: What that tells apart.

    Raises:
        InputError: If a weight is not finite, or the card cannot be what is given.
        OutputError: If a file cannot be written.
    """
    weights = {
        name: tensor.detach().to("cpu", _dtype(name)).contiguous()
        for name, tensor in policy.state_dict().items()
    }
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise InputError(f"the policy cannot be saved: its weights {name} are not all finite")
    content = save(weights)
    family = FamilyOrigin(policy.family.mode, _module(policy.family))
    digest = hashlib.sha256(content).hexdigest()
    known = PolicyCard(host, policy.config, family, digest, training, None, reading, labels)
    if isinstance(scores, LabelScores):
        known = replace(known, label_scores=scores)
    card = dump(replace(known, scores=scores) if isinstance(scores, Scores) else known)
    make_folder(folder)
    write_file(folder / WEIGHTS, content)
    write_file(folder / CARD, card)


def read_folder(folder: Path, name: str | None = None) -> tuple[PolicyCard, AttentionPolicy]:
    """Reads a policy; no code is executed, and nothing larger is built than what the files hold.

    Args:
        folder: Where it is.
        name: What messages call it; by default the folder.

    Returns:
        Its card and its network.

    Raises:
        InputError: If a file is missing, cut, or changed after it was saved, or if one does not
            fit the other.
    """
    name = str(folder) if name is None else name
    with explained(f"{name}: not a policy folder"):
        said, numbers = (file_in(folder, file) for file in (CARD, WEIGHTS))
    damaged = f"{name}: a damaged policy folder"
    with explained(damaged):
        card = parse_card(read_text(said))
    with explained(name):
        expected = _expected(card)
    with explained(damaged):
        weights = read_tensors(numbers, expected, digest=card.weights_sha256)
    policy = AttentionPolicy(card.policy)
    policy.load_state_dict(weights)
    if card.weights_sha256 is None:
        warnings.warn(
            f"{visible(name)}: a policy of format 1, which says nothing of its training, its "
            "scores, and whether it was changed since; save it again for one of today's",
            stacklevel=3,
        )
    return card, policy


def _expected(card: PolicyCard) -> dict[str, Form]:
    """What the weights must be; no memory is taken for them."""
    try:
        with torch.device("meta"):
            policy = AttentionPolicy(card.policy)
    except (ValueError, TypeError, RuntimeError, MemoryError) as error:
        hint = ""
        if card.family is not None and not card.family.module.startswith("rlattn."):
            module = card.family.module
            hint = f" (It was saved with the family of {module}: --imports {module})"
        reason = str(error).splitlines()[0]
        raise InputError(f"policy.json: policy: {reason}{hint}") from error
    if card.family is not None and card.family.steering != policy.family.mode:
        raise InputError(
            f"policy.json: family: steering: found {shown(card.family.steering)}, and the action "
            f"{card.policy.action} of {_module(policy.family)} steers by {policy.family.mode}"
        )
    version = 1 if card.weights_sha256 is None else FORMAT
    return {
        name: Form(_dtype(name, version), tuple(tensor.shape))
        for name, tensor in policy.state_dict().items()
    }


def _dtype(name: str, version: int = FORMAT) -> torch.dtype:
    # The value network acts on nothing, and is up to a fifth of a policy.
    return torch.float16 if version > 1 and name.startswith(_CRITIC) else torch.float32


def _module(family: ActionFamily) -> str:
    """The module of a family, or of the one that is decided for each layer."""
    return type(family.inside if isinstance(family, PerLayer) else family).__module__
