"""Classifier hosts: frozen models that label a text from what is read of it."""

from __future__ import annotations

from rlattn.hosts.classifier.base import ClassifierHost
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.sequence import SequenceClassifierHost

__all__ = ["ClassifierHost", "EncodedTexts", "SequenceClassifierHost"]
