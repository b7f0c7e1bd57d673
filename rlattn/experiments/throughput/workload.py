"""What is measured on: a host, sentences, and how they are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from rlattn.corpora import load_corpus
from rlattn.envs import make_core
from rlattn.envs.episodes import Prefix
from rlattn.envs.queue import AHEAD
from rlattn.experiments.provenance import Identity
from rlattn.experiments.throughput.settings import Config
from rlattn.experiments.throughput.synthetic import SIZES, longest_length, write_task
from rlattn.hosts import Seq2SeqHost

SAMPLE = 4096
"""Sentences whose lengths are looked at."""

ROOM = 64
"""Tokens, as programs have it by default; more for longer sentences."""

_FEWEST = 32  # sentences in a piece of work


@dataclass(frozen=True)
class Batch:
    """Sentences of similar length.

    Attributes:
        sources: Token ids of each source.
        steps: How many tokens to write for each, the mean length of their references.
    """

    sources: list[list[int]]
    steps: int

    def start(self, steps: int) -> Batch:
        """The same, written no further than so many tokens."""
        return replace(self, steps=min(self.steps, steps))


@dataclass(frozen=True)
class Workload:
    """A host, sentences, and how they are read and written.

    Attributes:
        host: The frozen translator.
        corpus: What its sentences are known by.
        title: What to call host and sentences.
        names: What environments are told of it: host, corpus and device, by name.
        prefix: What is fed back where nothing else is said.
        sources: Token ids of a sample of the training sentences.
        targets: Token ids of their references.
        limit: The longest source and target, in tokens.
        endless: Whether the host never ends a sentence by itself.
        seed: Fixes all that is drawn.
    """

    host: Seq2SeqHost
    corpus: Identity
    title: str
    names: Mapping[str, str]
    prefix: Prefix
    sources: list[list[int]]
    targets: list[list[int]]
    limit: int
    endless: bool
    seed: int

    @property
    def id(self) -> str:
        """The task."""
        return "rlattn/Translate-v0"

    @property
    def reward(self) -> Mapping[str, float]:
        """The quality of each finished sentence against how much was read."""
        return {"chrf": 1.0, "reads": -0.1}

    @property
    def identity(self) -> Identity:
        """What the host is known by; where a synthetic one is kept is no name."""
        return Identity(self.title, self.host.fingerprint)

    @property
    def device(self) -> str:
        """Where the host is."""
        return self.names["device"]

    @property
    def mean_source(self) -> float:
        """Mean length of the sources, in tokens."""
        return float(np.mean([len(row) for row in self.sources]))

    @property
    def mean_target(self) -> float:
        """Mean length of the references, in tokens."""
        return float(np.mean([len(row) for row in self.targets]))

    @cached_property
    def steps(self) -> int:
        """About how many steps a sentence takes."""
        return round(self.mean_target)

    @property
    def description(self) -> dict[str, object]:
        """What it is, for reports."""
        return {
            "host": self.title,
            "d_model": self.host.d_model,
            "parameters": self.host.model.num_parameters(),
            "prefix": self.prefix,
            "longest": self.limit,
        }

    def settings(
        self, reward: Mapping[str, float] | None, prefix: Prefix | None = None
    ) -> dict[str, Any]:
        """What an environment is told, by names and numbers alone.

        Args:
            reward: The weight of each reward term; None for the default.
            prefix: Another prefix than the workload's.
        """
        prefix = prefix or self.prefix
        # What the host writes by itself is as long as the references, also if it never ends.
        cut = self.endless and prefix != "reference"
        return {
            **self.names,
            "reward": reward,
            "prefix": prefix,
            "max_source": self.limit,
            "max_target": self.steps if cut else self.limit,
            "seed": self.seed,
        }

    def batches(self, lanes: int) -> list[Batch]:
        """Sentences drawn as an environment draws them: a few batches at a time, sorted by length.

        Args:
            lanes: Sentences in a batch.
        """
        # As many as an environment reads at a time: it starts on them while its lanes write as
        # many sentences of mean length.
        count = max(AHEAD, -(-_FEWEST // lanes)) * lanes
        rng = np.random.default_rng(self.seed)
        # Whole permutations, as many as needed, for there may be fewer sentences than asked for.
        turns = -(-count // len(self.sources))
        drawn = np.concatenate([rng.permutation(len(self.sources)) for _ in range(turns)])[:count]
        order = sorted(drawn.tolist(), key=lambda i: len(self.sources[i]))
        return [self._batch(order[start : start + lanes]) for start in range(0, count, lanes)]

    def _batch(self, rows: list[int]) -> Batch:
        steps = round(float(np.mean([len(self.targets[i]) for i in rows])))
        return Batch([self.sources[i] for i in rows], steps)


def prepare(config: Config, folder: Path) -> Workload:
    """Makes the synthetic host and its sentences, or loads those that are named.

    Args:
        config: What is asked for.
        folder: Where what is made is kept; it must outlive the workload.

    Raises:
        InputError: If there is no such host or corpus.
        UnsupportedModelError: If the host cannot serve as one.
    """
    longest = ROOM
    host, corpus = config.host, config.corpus
    synthetic = corpus is None
    if corpus is None:
        length = config.source_length
        longest = max(longest, longest_length(length))
        host, corpus = write_task(
            folder, SIZES[config.size], source_length=length, sentences=SAMPLE, seed=config.seed
        )
    names = {"host": host, "corpus": corpus, "device": config.device}
    found = make_core(**names, lanes=1, max_source=1, max_target=1).host  # type: ignore[arg-type]
    limit = min(longest, found.max_source or longest)
    loaded = load_corpus(corpus)
    pairs = loaded.train[:SAMPLE]
    return Workload(
        host=found,
        corpus=Identity(loaded.name, loaded.fingerprint),
        title=f"synthetic {config.size}" if synthetic else f"{host} on {corpus}",
        names=names,
        prefix=config.prefix or ("reference" if synthetic else "free"),
        sources=found.tokenize([pair.source for pair in pairs], limit).ids,
        targets=found.tokenize_target([pair.target for pair in pairs], limit).ids,
        limit=limit,
        endless=synthetic,
        seed=config.seed,
    )
