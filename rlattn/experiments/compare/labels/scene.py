"""What a run on a classifier works with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from rlattn.agents import LabelPoint, Spent
from rlattn.agents.label_validation import label_quality
from rlattn.corpora import Pair
from rlattn.experiments.compare.scene import Scene
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference import Readings
from rlattn.reading import Reading

LabelScene: TypeAlias = Scene[ClassifierHost[Any]]


def reading_of(scene: LabelScene) -> Reading:
    """How the policies of a task read texts, however they are learned.

    Gates open more and more of a text. Of softer allocations the latest counts and reads all: they
    are given once.
    """
    assert scene.task is not None
    if scene.task.objective == "quality":
        return Reading(1, stop=False)
    assert scene.budget.allocations is not None
    return Reading(scene.budget.allocations)


def scored_labels(read: Readings, pairs: Sequence[Pair]) -> LabelPoint:
    """How good the labels of some texts are, of what learns nothing."""
    accuracy, likelihood = label_quality(read, [pair.target for pair in pairs])
    reads = float(np.mean(read.reads_fraction))
    return LabelPoint(0, accuracy, likelihood, reads, accuracy, Spent())
