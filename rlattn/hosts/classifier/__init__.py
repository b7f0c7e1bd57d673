"""Classifier hosts: frozen models that label a text from what is read of it."""

from __future__ import annotations

from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.builtin import builtin_classifier
from rlattn.hosts.classifier.config import ClassifierConfig
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.sequence import SequenceClassifierHost

__all__ = [
    "ClassifierConfig",
    "ClassifierHost",
    "EncodedTexts",
    "SequenceClassifierHost",
    "builtin_classifier",
]
