"""A task in files: sentences whose label one word tells, and a classifier that knows the word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlattn.corpora import Pair
from rlattn.experiments.classification import Config
from rlattn.hosts.classifier.builtin import train_classifier
from tests.hosts.classifier.labelled import CORPUS, TINY

ROOM = 12
"""More tokens than any of the sentences has."""


def write_pairs(path: Path, pairs: Iterable[Pair]) -> Path:
    """Texts and labels in two columns."""
    path.write_text("".join(f"{text}\t{label}\n" for text, label in pairs), encoding="utf-8")
    return path


def write_moods(folder: Path) -> dict[str, Any]:
    """Puts host and corpus into a folder; returns what a `Config` is to say of them."""
    train_classifier(CORPUS, replace(TINY, max_steps=150), folder / "host", progress=False)
    splits = ("train", "valid", "test")
    files = {name: write_pairs(folder / f"{name}.tsv", getattr(CORPUS, name)) for name in splits}
    return {**files, "host": str(folder / "host"), "max_source": ROOM}


def short(task: dict[str, Any], **changes: Any) -> Config:
    """A run of a second or two, in which a gate learns to open hardly more than the word."""
    settings = {
        "steps": 2048,
        "lanes": 16,
        "valid_texts": 40,
        "validations": 2,
        "allocations": 2,
        "learning_rate": 0.03,
        "gamma": 0.0,
        "reward": ("gain=1", "reads=-4"),
    }
    return Config(**{**task, **settings, **changes})
