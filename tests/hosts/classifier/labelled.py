"""Labelled sentences whose label one word decides, and a configuration that learns them quickly."""

from __future__ import annotations

import numpy as np

from rlattn.corpora import Pair, ParallelCorpus
from rlattn.hosts.classifier import ClassifierConfig
from tests.hosts.tiny import WORDS

TELLING = {"joy": "glad", "woe": "sad"}
"""The word that tells a sentence's label."""

TINY = ClassifierConfig(
    vocab_size=340,
    d_model=32,
    layers=1,
    heads=2,
    ffn=32,
    max_length=16,
    dropout=0.0,
    shut=0.5,
    batch_tokens=400,
    learning_rate=1e-2,
    max_steps=3,
    max_minutes=None,
)


def labelled(count: int, seed: int) -> list[Pair]:
    """Sentences of 3 to 8 words, one of which tells the label."""
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(count):
        words = [str(word) for word in rng.choice(WORDS, rng.integers(2, 8))]
        telling = str(rng.choice(list(TELLING)))
        words.insert(int(rng.integers(len(words) + 1)), telling)
        pairs.append(Pair(" ".join(words), TELLING[telling]))
    return pairs


CORPUS = ParallelCorpus(
    "moods", labelled(400, 0), labelled(60, 1), labelled(60, 2), 0, fingerprint="0"
)
