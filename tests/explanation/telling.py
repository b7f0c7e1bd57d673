"""Classifiers that have learned that one word decides a text's label, and texts with that word."""

from __future__ import annotations

from typing import Any

import numpy as np

from rlattn.explanation import Rationale
from rlattn.hosts.classifier import (
    ClassifierHost,
    HeadConfig,
    PooledClassifierHost,
    SequenceClassifierHost,
    train_head,
)
from rlattn.hosts.classifier.mean import train_mean
from tests.hosts.classifier.labelled import CORPUS, TELLING
from tests.hosts.classifier.small import SOURCE, small_encoder, telling_tokenizer

TEXTS = [pair.source for pair in CORPUS.test]
_CONFIG = HeadConfig(max_steps=300, learning_rate=3e-2, shut=0.5)
_LABELS = ("glad", "sad")


def whole() -> ClassifierHost[Any]:
    """One that reads what is left of a text in all layers."""
    encoder, tokenizer = small_encoder(initializer_range=0.05), telling_tokenizer()
    model = train_mean(encoder, tokenizer, CORPUS, _CONFIG, progress=False)
    return SequenceClassifierHost(model, tokenizer, labels=_LABELS)


def pooled() -> ClassifierHost[Any]:
    """One that pools the states of an encoder."""
    encoder, tokenizer = small_encoder(initializer_range=0.05), telling_tokenizer()
    head = train_head(encoder, tokenizer, CORPUS, _CONFIG, progress=False)
    return PooledClassifierHost(encoder, tokenizer, head, _LABELS)


def sources_and_rationales(host: ClassifierHost[Any]) -> tuple[list[list[int]], list[Rationale]]:
    """The token ids of `TEXTS`, and where in them the word is that tells."""
    telling = host.tokenizer.convert_tokens_to_ids(list(TELLING))
    sources = host.tokenize(TEXTS, SOURCE).ids
    return sources, [np.isin(row, telling) for row in sources]
