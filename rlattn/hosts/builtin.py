"""The built-in host: a small Transformer of our own, for machines without a hub."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig, MarianConfig, MarianMTModel, PreTrainedTokenizerBase
from transformers.utils import logging

from rlattn.corpora import Pair, ParallelCorpus
from rlattn.corpora.locale import GENERATOR
from rlattn.errors import InputError
from rlattn.hosts.batches import Ragged, batches
from rlattn.hosts.cache import cached_folder, default_cache, digest
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.quality import greedy_quality
from rlattn.hosts.tokenizer import train_tokenizer
from rlattn.hosts.training import Budget, fit

CARD = "rlattn.json"
"""File beside the weights that says how they were made."""

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
        lambda folder: train_builtin(corpus, settings, folder, progress, device),
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
) -> dict[str, Any]:
    """Trains a host and its tokenizer, and writes them as an ordinary Hugging Face folder.

    Args:
        corpus: What to train on; its validation split is only scored, once, at the end.
        config: Shape and training.
        folder: Where to write; it is made if it is not there.
        progress: Whether to draw a progress bar.
        device: Where to train.

    Returns:
        The card that is also written to `CARD`: corpus, config, budget used, validation scores
        and versions.

    Raises:
        InputError: If no pair of the corpus is short enough to train on.
        RlattnError: If training diverges.
    """
    budget, device = Budget(config), torch.device(device)
    pairs = list(corpus.train)
    tokenizer = train_tokenizer(
        (text for pair in pairs for text in pair), config.vocab_size, config.max_length
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
        model = _untrained(config, tokenizer).to(device)  # type: ignore[arg-type]
        training = fit(model, endless, config, budget, progress)
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
    save_host(folder, model, tokenizer, card)
    return card


def save_host(
    folder: Path, model: MarianMTModel, tokenizer: PreTrainedTokenizerBase, card: dict[str, Any]
) -> None:
    """Writes a host's folder; whatever the weights' type, they load as float32 by default."""
    folder.mkdir(parents=True, exist_ok=True)
    with _without_progress_bars():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _write_json(folder / "config.json", config | {"dtype": "float32"})
    _write_json(folder / CARD, card)


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _is_embedded(corpus: ParallelCorpus) -> bool:
    if corpus.name != "locale:en-de" or not (_EMBEDDED / CARD).is_file():
        return False
    card = json.loads((_EMBEDDED / CARD).read_text(encoding="utf-8"))
    return bool(card["generator"] == GENERATOR)


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


def _untrained(config: BuiltinConfig, tokenizer: PreTrainedTokenizerBase) -> MarianMTModel:
    special = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.pad_token_id,
    }
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(tokenizer),
            d_model=config.d_model,
            encoder_layers=config.encoder_layers,
            decoder_layers=config.decoder_layers,
            encoder_attention_heads=config.heads,
            decoder_attention_heads=config.heads,
            encoder_ffn_dim=config.ffn,
            decoder_ffn_dim=config.ffn,
            max_position_embeddings=config.max_length,
            dropout=config.dropout,
            attention_dropout=config.dropout,
            activation_dropout=config.dropout,
            activation_function="relu",
            init_std=config.d_model**-0.5,
            scale_embedding=True,
            bos_token_id=None,
            forced_eos_token_id=None,
            **special,
        )
    )
    # The fused kernel is the slower one for short sequences with masks on a CPU.
    model.set_attn_implementation("eager")
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=config.max_length - 1,
        num_beams=1,
        do_sample=False,
        bad_words_ids=[[tokenizer.pad_token_id]],
        **special,
    )
    return model
