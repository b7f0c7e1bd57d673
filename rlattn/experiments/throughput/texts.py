"""What classification is measured on: a host, texts, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlattn.corpora import load_corpus
from rlattn.envs.queue import AHEAD
from rlattn.envs.tasks import make_any_core
from rlattn.errors import InputError
from rlattn.experiments.provenance import Identity
from rlattn.experiments.throughput.settings import Config
from rlattn.experiments.throughput.synthetic import SIZES, longest_length
from rlattn.experiments.throughput.synthetic_classifier import write_labelled_task
from rlattn.experiments.throughput.workload import ROOM, SAMPLE
from rlattn.hosts.classifier import SequenceClassifierHost

_ALLOCATIONS = 4  # of a text, as programs have it by default


@dataclass(frozen=True)
class TextWorkload:
    """A classifier, texts, and how they are read.

    Attributes:
        host: The frozen classifier.
        corpus: What the texts are known by.
        title: What to call host and texts.
        names: What environments are told of it: host, corpus and device, by name.
        sources: Token ids of a sample of the training texts.
        limit: The longest text, in tokens.
        seed: Fixes all that is drawn.
    """

    host: SequenceClassifierHost
    corpus: Identity
    title: str
    names: Mapping[str, str]
    sources: list[list[int]]
    limit: int
    seed: int

    @property
    def id(self) -> str:
        """The task."""
        return "rlattn/Classify-v0"

    @property
    def identity(self) -> Identity:
        """What the host is known by; where a synthetic one is kept is no name."""
        return Identity(self.title, self.host.fingerprint)

    @property
    def reward(self) -> Mapping[str, float]:
        """The gain of each allocation against what it reads."""
        return {"gain": 1.0, "reads": -0.5}

    @property
    def steps(self) -> int:
        """How many steps a text takes at most."""
        return _ALLOCATIONS

    @property
    def device(self) -> str:
        """Where the host is."""
        return self.names["device"]

    @property
    def mean_source(self) -> float:
        """Mean length of the texts, in tokens."""
        return float(np.mean([len(row) for row in self.sources]))

    @property
    def description(self) -> dict[str, object]:
        """What it is, for reports."""
        return {
            "host": self.title,
            "d_model": self.host.d_model,
            "parameters": sum(weight.numel() for weight in self.host.model.parameters()),
            "allocations": self.steps,
            "longest": self.limit,
            "mean_source": self.mean_source,
        }

    def settings(self, reward: Mapping[str, float] | None) -> dict[str, Any]:
        """What an environment is told, by names and numbers alone.

        Args:
            reward: The weight of each reward term; None for the default.
        """
        limits = {"max_source": self.limit, "steps": self.steps, "seed": self.seed}
        return {"kind": "classification", **self.names, "reward": reward, **limits}

    def batches(self, lanes: int) -> list[Sequence[list[int]]]:
        """Texts drawn as an environment draws them, those of like length together.

        Args:
            lanes: Texts in a batch.
        """
        rng = np.random.default_rng(self.seed)
        drawn = rng.choice(
            len(self.sources), AHEAD * lanes, replace=AHEAD * lanes > len(self.sources)
        )
        rows = sorted((self.sources[i] for i in drawn), key=len)
        return [rows[start : start + lanes] for start in range(0, len(rows), lanes)]


def prepare_texts(config: Config, folder: Path) -> TextWorkload:
    """Makes the synthetic host and its texts, or loads those that are named.

    Args:
        config: What is asked for.
        folder: Where what is made is kept; it must outlive the workload.

    Raises:
        InputError: If there is no such host or corpus, or the host pools states that it makes once
            for each text, so that an allocation costs no forward of its own.
        UnsupportedModelError: If the host cannot serve as one.
    """
    longest = ROOM
    host, corpus = config.host, config.corpus
    synthetic = corpus is None
    if corpus is None:
        length = config.source_length
        longest = max(longest, longest_length(length))
        host, corpus = write_labelled_task(
            folder, SIZES[config.size], source_length=length, texts=SAMPLE, seed=config.seed
        )
    names = {"host": host, "corpus": corpus, "device": config.device}
    found = make_any_core("classification", **names, lanes=1, max_source=1).host
    if not isinstance(found, SequenceClassifierHost):
        raise InputError(
            f"--host {host}: it makes its states once for each text and pools them at each step; "
            "give a classifier that reads the text at each step"
        )
    limit = min(longest, found.max_source or longest)
    loaded = load_corpus(corpus)
    pairs = loaded.train[:SAMPLE]
    return TextWorkload(
        host=found,
        corpus=Identity(loaded.name, loaded.fingerprint),
        title=f"synthetic classifier {config.size}" if synthetic else f"{host} on {corpus}",
        names=names,
        sources=found.tokenize([pair.source for pair in pairs], limit).ids,
        limit=limit,
        seed=config.seed,
    )
