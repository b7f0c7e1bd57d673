"""The built-in classifier: a small encoder of our own, trained to label texts from parts of them.

Tokens are shut at random while it learns, as in "word dropout" (Iyyer et al., 2015, "Deep Unordered
Composition Rivals Syntactic Methods for Text Classification"), so that what it says of a text of
which little was read is what little says. Where only a part of a text is asked for, it learns from
that part, and is not taught to find it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.hosts.batches import Batch, Ragged, batches
from rlattn.hosts.cache import cached_folder, default_cache, digest
from rlattn.hosts.card import write_card
from rlattn.hosts.classifier.asked import asked_tokens, opened_around
from rlattn.hosts.classifier.config import ClassifierConfig
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.probe import run
from rlattn.hosts.classifier.quality import accuracy
from rlattn.hosts.classifier.sequence import SequenceClassifierHost
from rlattn.hosts.descent import Budget, Training, descend
from rlattn.hosts.quiet import without_progress_bars
from rlattn.hosts.tokenizer import EOS, train_tokenizer
from rlattn.hosts.training import fast_bfloat16

_FORMAT = 2  # Raised when the same corpus and config give another folder.
_VALIDATION_PAIRS = 1000


def builtin_classifier(
    corpus: ParallelCorpus,
    config: ClassifierConfig | None = None,
    cache_dir: Path | None = None,
    progress: bool = True,
    device: str | torch.device = "cpu",
) -> Path:
    """Finds the built-in classifier of a corpus, and trains it when it is asked for the first time.

    It is kept in the cache under a name that corpus and config determine.

    Args:
        corpus: Texts, and their labels as targets.
        config: Shape and training; by default what suits the corpus.
        cache_dir: Where trained hosts are kept; by default the folder that the environment
            variable `RLATTN_CACHE` names, or else the user's cache directory.
        progress: Whether to draw a progress bar while training.
        device: Where to train.

    Returns:
        A Hugging Face folder; it is complete, and is not to be changed.

    Raises:
        InputError: If the cache cannot be written, or `labels_of` refuses the corpus.
    """
    settings = config or ClassifierConfig.for_corpus(corpus)
    key = digest({"corpus": corpus.fingerprint, "config": asdict(settings), "format": _FORMAT})
    return cached_folder(
        cache_dir or default_cache(),
        f"classifier-{key[:32]}",
        settings.bytes_on_disk,
        lambda folder: train_classifier(corpus, settings, folder, progress, device),
    )


def train_classifier(
    corpus: ParallelCorpus,
    config: ClassifierConfig,
    folder: Path,
    progress: bool = True,
    device: str | torch.device = "cpu",
) -> dict[str, Any]:
    """Trains a classifier and its tokenizer, and writes them as an ordinary Hugging Face folder.

    Args:
        corpus: What to train on; its validation split is only scored, once, at the end.
        config: Shape and training.
        folder: Where to write; it is made if it is not there.
        progress: Whether to draw a progress bar.
        device: Where to train.

    Returns:
        Its card, which is also written: corpus, config, budget used, validation accuracy and
        versions.

    Raises:
        InputError: If `labels_of` refuses the corpus.
        RlattnError: If training diverges.
    """
    budget, device = Budget(config), torch.device(device)
    labels = labels_of(corpus)
    # What is pooled is the first row, so `</s>` comes first.
    pairs = list(corpus.train)
    texts, named = zip(*pairs, strict=True)
    tokenizer = train_tokenizer(texts, config.vocab_size, config.max_length, frame=f"{EOS} $A")
    framing = Framing(tokenizer, "the classifier")
    read = framing.tokenize(texts, config.max_length - len(framing))
    sources = Ragged([[*framing.before, *row] for row in read.ids], framing.pad)
    first = len(framing.before)
    spans = asked_tokens(tokenizer, pairs)
    targets = Ragged(
        [
            [labels.index(label), first + begin, first + end]
            for label, (begin, end) in zip(named, spans, strict=True)
        ],
        0,
    )
    generator = np.random.default_rng(config.seed)
    endless = batches(sources, targets, config.batch_tokens, generator)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(config.seed)
        model = _untrained(config, len(tokenizer), framing.pad, labels).to(device)  # type: ignore[arg-type]
        training = _fit(model, endless, config, budget, framing.pad, progress)
    folder.mkdir(parents=True, exist_ok=True)
    with without_progress_bars():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    host = SequenceClassifierHost(model, tokenizer)
    limit = config.max_length - len(framing)
    card = {
        "corpus": {"name": corpus.name, "fingerprint": corpus.fingerprint},
        "config": asdict(config),
        "texts": len(texts),
        "cut": read.truncated,
        "training": training._asdict(),
        "validation": accuracy(host, corpus.valid[:_VALIDATION_PAIRS], limit)._asdict(),
        "versions": {name: version(name) for name in ("tokenizers", "torch", "transformers")},
    }
    write_card(folder, card)
    return card


def _untrained(
    config: ClassifierConfig, vocabulary: int, pad: int, labels: tuple[str, ...]
) -> DistilBertForSequenceClassification:
    """A model of the DistilBERT architecture (Sanh et al., 2019) with random weights."""
    settings = DistilBertConfig(
        vocab_size=vocabulary,
        dim=config.d_model,
        n_layers=config.layers,
        n_heads=config.heads,
        hidden_dim=config.ffn,
        max_position_embeddings=config.max_length,
        dropout=config.dropout,
        attention_dropout=config.dropout,
        seq_classif_dropout=config.dropout,
        pad_token_id=pad,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    return DistilBertForSequenceClassification(settings)


def _fit(
    model: DistilBertForSequenceClassification,
    batches: Iterator[Batch],
    config: ClassifierConfig,
    budget: Budget,
    pad: int,
    progress: bool,
) -> Training:
    kind = model.device.type
    model.train()

    def loss_of_next() -> tuple[Tensor, int]:
        sources, targets = (t.to(model.device) for t in next(batches))
        column = torch.arange(sources.shape[1], device=model.device)
        asked = (column >= targets[:, 1:2]) & (column < targets[:, 2:3])
        opened = opened_around(sources.ne(pad), asked & sources.ne(pad), config.shut)
        opened[:, 0] = True
        with torch.autocast(kind, torch.bfloat16, enabled=fast_bfloat16(kind)):
            logits = run(model, *_gathered(sources, opened))
        return F.cross_entropy(logits.float(), targets[:, 0]), int(opened.sum())

    training = descend(model.parameters(), loss_of_next, config, budget, "the classifier", progress)
    model.eval()  # type: ignore[no-untyped-call]
    return training


def _gathered(ids: Tensor, opened: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The columns that are open, with what is open among them, and where they stood."""
    order = torch.sort(opened.byte(), dim=1, descending=True, stable=True).indices
    order = order[:, : int(opened.sum(1).max())]
    return ids.gather(1, order), opened.gather(1, order), order
