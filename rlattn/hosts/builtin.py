"""The built-in host: a small Transformer of our own, for machines without a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from rlattn.corpora import Pair, ParallelCorpus, load_corpus
from rlattn.corpora.locale import GENERATOR
from rlattn.errors import InputError
from rlattn.hosts.batches import Ragged, batches
from rlattn.hosts.cache import cached_folder, default_cache, digest
from rlattn.hosts.card import read_card, write_card
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.descent import Budget
from rlattn.hosts.marian import begin_with, untrained_model
from rlattn.hosts.quality import greedy_quality
from rlattn.hosts.quiet import without_progress_bars
from rlattn.hosts.tokenizer import train_tokenizer
from rlattn.hosts.training import fit

__all__ = ["BuiltinConfig", "builtin_host", "embedded_host", "train_builtin"]

_FORMAT = 1  # Raised when the same corpus and config give another folder.
_EMBEDDED = Path(__file__).parent / "assets" / "locale-en-de"
_VALIDATION_PAIRS = 1000


def builtin_host(
    corpus: ParallelCorpus,
    config: BuiltinConfig | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
    device: str | torch.device = "cpu",
) -> Path:
    """Finds the built-in host of a corpus, and trains it when it is asked for the first time.

    Without a config, the corpus that the embedded weights were made for has those. Any other host
    is kept in the cache under a name that corpus and config determine.

    Args:
        corpus: What the host translates.
        config: Shape and training; by default what suits the corpus.
        cache_dir: Where trained hosts are kept; by default the folder that the environment
            variable `RLATTN_CACHE` names, or else the user's cache directory.
        progress: Whether to draw a progress bar while training.
        device: Where to train.

    Returns:
        A Hugging Face folder; it is complete, and is not to be changed.

    Raises:
        InputError: If the cache cannot be written, or the corpus has no pair to train on.
    """
    if config is None:
        if _is_embedded(corpus):
            return embedded_host()
        config = BuiltinConfig.for_corpus(corpus)
    settings = config
    key = digest({"corpus": corpus.fingerprint, "config": asdict(settings), "format": _FORMAT})
    return cached_folder(
        cache_dir or default_cache(),
        f"host-{key[:32]}",
        settings.bytes_on_disk,
        lambda folder: train_builtin(corpus, settings, folder, progress, device, cache_dir),
    )


def embedded_host() -> Path:
    """Returns the folder of the host for `locale:en-de` that ships with the package."""
    return _EMBEDDED


def train_builtin(
    corpus: ParallelCorpus,
    config: BuiltinConfig,
    folder: Path,
    progress: bool = True,
    device: str | torch.device = "cpu",
    cache_dir: Path | None = None,
) -> dict[str, Any]:
    """Trains a host and its tokenizer, and writes them as an ordinary Hugging Face folder.

    One that begins with another has its tokenizer.

    Args:
        corpus: What to train on; its validation split is only scored, once, at the end.
        config: Shape and training.
        folder: Where to write; it is made if it is not there.
        progress: Whether to draw a progress bar.
        device: Where to train.
        cache_dir: Where the host is kept that it begins with, if it does; see `builtin_host`.

    Returns:
        Its card, which is also written: corpus, config, budget used, validation scores
        and versions.

    Raises:
        InputError: If no pair of the corpus is short enough to train on, or the host that it begins
            with is of another shape.
        RlattnError: If training diverges.
    """
    start = config.start and builtin_host(
        load_corpus(config.start), None, cache_dir, progress, device
    )
    budget, device = Budget(config), torch.device(device)
    pairs = list(corpus.train)
    texts = (text for pair in pairs for text in pair)
    tokenizer = (
        AutoTokenizer.from_pretrained(
            start, model_max_length=config.max_length, trust_remote_code=False
        )
        if start
        else train_tokenizer(texts, config.vocab_size, config.max_length)
    )
    sources, targets = _tokenized(pairs, tokenizer, config.max_length)
    kept = len(sources.lengths)
    if not kept:
        raise InputError(
            f"corpus {corpus.name}: none of its {len(pairs)} training pairs has at most "
            f"{config.max_length} tokens on each side; give shorter sentences"
        )
    endless = batches(sources, targets, config.batch_tokens, np.random.default_rng(config.seed))
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        model = untrained_model(config, tokenizer)
        if start:
            begin_with(model, start)
        training = fit(model.to(device), endless, config, budget, progress)  # type: ignore[arg-type]
    folder.mkdir(parents=True, exist_ok=True)
    with without_progress_bars():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    quality = greedy_quality(model, tokenizer, corpus.valid[:_VALIDATION_PAIRS])
    card = {
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint},
        "config": asdict(config),
        "pairs": kept,
        "left_out": len(pairs) - kept,
        "training": training._asdict(),
        "validation": quality._asdict(),
        "versions": {name: version(name) for name in ("tokenizers", "torch", "transformers")},
    }
    write_card(folder, card)
    return card


def _is_embedded(corpus: ParallelCorpus) -> bool:
    return corpus.name == "locale:en-de" and read_card(_EMBEDDED)["generator"] == GENERATOR


def _tokenized(
    pairs: Sequence[Pair], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> tuple[Ragged, Ragged]:
    """Returns the sources and targets of the pairs that are short enough on both sides."""
    ids = [
        tokenizer([pair[side] for pair in pairs], return_attention_mask=False, verbose=False)
        for side in (0, 1)
    ]
    both = zip(*(side.input_ids for side in ids), strict=True)
    short = [rows for rows in both if max(map(len, rows)) <= max_length]
    sources, targets = ([rows[side] for rows in short] for side in (0, 1))
    return Ragged(sources, tokenizer.pad_token_id), Ragged(targets, tokenizer.pad_token_id)
