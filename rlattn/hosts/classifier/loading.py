"""Finding a classifier by name: a folder, a hub id, or one that is trained on a corpus first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from rlattn.checks import check_path
from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.errors import InputError
from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.builtin import builtin_classifier
from rlattn.hosts.classifier.config import ClassifierConfig
from rlattn.hosts.classifier.head_folder import is_head
from rlattn.hosts.classifier.sequence import SequenceClassifierHost
from rlattn.hosts.classifier.trained import MINILM, kept_classifier, trained_classifier
from rlattn.hosts.names import placed
from rlattn.hosts.pretrained import pretrained
from rlattn.hosts.settings import with_budget

_POOLED = "pooled:"
_WORDS = ("builtin", "builtin:", MINILM, _POOLED)


def load_classifier(
    name: str | Path,
    corpus: Callable[[], ParallelCorpus] | None = None,
    device: str | torch.device = "cpu",
    labels: Sequence[str] | None = None,
) -> ClassifierHost[Any]:
    """Loads a classifier in float32, from safetensors alone.

    Args:
        name: A folder with ``config.json``, weights and tokenizer, or a hub id, of a model with a
            head for sequence classification; ``builtin`` for a small one that is trained on
            `corpus` first and kept in the cache, for a minute or so, or as ``builtin:300steps`` or
            ``builtin:5min`` say; ``minilm`` for the encoder all-MiniLM-L6-v2 (extra ``minilm``)
            with a linear head on its mean state; or ``pooled:`` before ``minilm``, a folder or a
            hub id for any encoder whose states are pooled by attention. Heads are trained on
            `corpus` first and kept in the cache, in a folder that can be given, too. These words
            win over folders of the same name: one that is called ``minilm`` is ``./minilm``, or a
            `Path`.
        corpus: Gives the texts and labels to train on. A model that only numbers its labels
            (``LABEL_0``) takes them from here, in the order of `labels_of`.
        device: Where the weights go.
        labels: What such a model's labels are called instead, in the order of its logits, where
            that is known without a corpus.

    Returns:
        The frozen host. Its name leads to it without a corpus: of what is trained first, it is the
        folder that keeps it. If it is from a folder, its name is the path from the root.

    Raises:
        InputError: If there is no such classifier, it cannot be read, a corpus is missing, or there
            are more or fewer labels than logits.
        UnsupportedModelError: If gates do not keep what they shut from its logits, or its attention
            cannot be followed.
    """
    check_path(name)
    name = placed(name, _WORDS)
    kind, _, rest = name.partition(":")
    if kind == "builtin" or name == MINILM or name.startswith(_POOLED):
        if corpus is None:
            raise InputError(f"classifier {name} is trained on a corpus, and none was given")
        if name.startswith(_POOLED):
            return trained_classifier("pooled", name.removeprefix(_POOLED), corpus(), device)
        if name == MINILM:
            return trained_classifier("mean", name, corpus(), device)
        pairs = corpus()
        config = with_budget(ClassifierConfig.for_corpus(pairs), rest)
        return load_classifier(builtin_classifier(pairs, config, device=device), device=device)
    if is_head(name):
        return kept_classifier(name, device)
    model, tokenizer = pretrained(AutoModelForSequenceClassification, name, f"classifier {name}")
    if not _nameless(model):
        labels = None
    elif labels is None and corpus is not None:
        labels = labels_of(corpus())
    return SequenceClassifierHost(model.to(torch.device(device)), tokenizer, name, labels)


def _nameless(model: PreTrainedModel) -> bool:
    """Whether a model only numbers its labels."""
    named = model.config.id2label or {}
    return all(label == f"LABEL_{number}" for number, label in named.items())
