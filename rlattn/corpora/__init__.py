"""Parallel and labelled text to train and judge on: files, locale phrases and hub data sets."""

from __future__ import annotations

from rlattn.corpora.base import Pair, ParallelCorpus
from rlattn.corpora.files import read_parallel
from rlattn.corpora.labelled import read_labelled
from rlattn.corpora.labels import labels_of
from rlattn.corpora.noise import Layout, NoisyPair, NoisyPairs, noisy_corpus
from rlattn.corpora.registry import load_corpus
from rlattn.corpora.splits import build_corpus

__all__ = [
    "Layout",
    "NoisyPair",
    "NoisyPairs",
    "Pair",
    "ParallelCorpus",
    "build_corpus",
    "labels_of",
    "load_corpus",
    "noisy_corpus",
    "read_labelled",
    "read_parallel",
]
