"""What a run of a comparison works with, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import numpy as np
from typing_extensions import TypeVar

from rlattn.agents import Point, Spent
from rlattn.agents.best import Checkpoint
from rlattn.corpora import Pair
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.statistics import corpus_scores
from rlattn.hosts import Host, Seq2SeqHost
from rlattn.inference import Translations

AnyHost = TypeVar("AnyHost", bound=Host, default=Seq2SeqHost)
AnyPoint = TypeVar("AnyPoint", bound=Checkpoint, default=Point)

Settings = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Settings of learners that differ from their defaults: by learner, objective and name."""

Found = Mapping[str, Any]
"""What a training found besides a policy, such as a parameter of a rule; JSON can hold it."""


@dataclass(frozen=True)
class Budget:
    """How much each learner gets, once defaults are filled in.

    Attributes:
        seeds: How often each learner is trained.
        steps: Environment steps of a training, or None where minutes count.
        minutes: How long a training takes, or None.
        lanes: How many sentences advance together.
        max_source: Longest source in tokens.
        max_target: Longest target in tokens; None where labels are given.
        valid_sentences: How many sentences validate.
        validations: How often a learner is validated.
        test_sentences: How many test sentences are translated, or labelled; None for all.
        bound_sentences: How many for a bound that takes long.
        allocations: The most allocations of a text; None where translations are written.
    """

    seeds: int
    steps: int | None
    minutes: float | None
    lanes: int
    max_source: int
    max_target: int | None
    valid_sentences: int
    validations: int
    test_sentences: int | None
    bound_sentences: int
    allocations: int | None = None


@dataclass(frozen=True)
class Scene(Generic[AnyHost]):
    """What a run works with.

    Attributes:
        host: The frozen translator or classifier.
        train: Sentences to learn from.
        valid: Sentences to choose with.
        task: What is asked for; None for methods that are the same whatever is asked.
        seed: Seed of everything that is random.
        budget: How much a learner gets.
        settings: What learners' settings are other than their defaults.
        native: The quality that the host reaches on `valid` unsteered, as BLEU; 0 while that is
            being measured.
        folder: Where the run keeps its files.
    """

    host: AnyHost
    train: Sequence[Pair]
    valid: Sequence[Pair]
    task: Task | None
    seed: int
    budget: Budget
    settings: Settings
    native: float
    folder: Path

    @property
    def limits(self) -> dict[str, Any]:
        """The longest source and target, as everything that reads and writes takes them."""
        found = {"max_source": self.budget.max_source, "max_target": self.budget.max_target}
        return {name: limit for name, limit in found.items() if limit is not None}

    def settings_of(self, learner: str) -> Mapping[str, Any]:
        """What a learner's settings are other than its defaults."""
        assert self.task is not None
        return self.settings.get(learner, {}).get(self.task.objective, {})


@dataclass(frozen=True)
class Outcome(Generic[AnyPoint]):
    """What a training led to.

    Attributes:
        best: What is kept, on validation sentences.
        curve: All points, in order.
        env_steps: Environment steps in all.
        spent: What they cost in all, without validation.
        found: What else is needed to translate, or to label.
    """

    best: AnyPoint
    curve: Sequence[AnyPoint] = ()
    env_steps: int = 0
    spent: Spent = field(default_factory=Spent)
    found: Found = field(default_factory=dict)


def scored(output: Translations, pairs: Sequence[Pair]) -> Point:
    """How good the translations of some sentences are, of what learns nothing."""
    scores = corpus_scores(output.texts, [pair.target for pair in pairs])
    reads = float(np.mean(output.reads_fraction))
    return Point(0, scores.bleu, scores.chrf, reads, scores.bleu, Spent())
