"""Classifier hosts: frozen models that label a text from what is read of it."""

from __future__ import annotations

from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.builtin import builtin_classifier
from rlattn.hosts.classifier.config import ClassifierConfig
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.head import HeadConfig, train_head
from rlattn.hosts.classifier.loading import load_classifier
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.hosts.classifier.pooled import PooledClassifierHost
from rlattn.hosts.classifier.sequence import SequenceClassifierHost
from rlattn.hosts.classifier.taped import TapedTexts

__all__ = [
    "AttentionPool",
    "ClassifierConfig",
    "ClassifierHost",
    "EncodedTexts",
    "HeadConfig",
    "PooledClassifierHost",
    "SequenceClassifierHost",
    "TapedTexts",
    "builtin_classifier",
    "load_classifier",
    "train_head",
]
