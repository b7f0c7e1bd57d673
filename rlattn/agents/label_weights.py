"""Soft attention pooling by one learned vector for a classifier: ``alpha_i ∝ exp(a_i · w)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.agents.best import KeepsBest
from rlattn.agents.descent import descend
from rlattn.agents.label_lessons import LabelLesson, label_lessons
from rlattn.agents.weight_vector import WeightsSettings, weighed
from rlattn.corpora import Pair
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference import Readings
from rlattn.inference.classification import classify_under


@dataclass(frozen=True, eq=False)
class LabelWeights:
    """Labels texts with attention that depends on what each token holds alone.

    Attributes:
        host: The frozen classifier.
        vector: What the rows of the memory are multiplied by, ``[d_model]``.
        max_source: Longer texts are cut, in tokens.
    """

    host: ClassifierHost[Any]
    vector: Tensor
    max_source: int = 64

    def __call__(self, texts: Sequence[str]) -> Readings:
        """Labels texts; all of a text is read.

        Args:
            texts: What to label.
        """
        return classify_under(
            self.host,
            texts,
            lambda encoded: weighed(encoded, self.vector),
            max_source=self.max_source,
        )


def learn_label_weights(
    host: ClassifierHost[Any],
    pairs: Sequence[Pair],
    settings: WeightsSettings | None = None,
    *,
    steps: int,
    validator: KeepsBest[Any, LabelWeights],
    every: int,
    lanes: int = 64,
    max_source: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> LabelWeights:
    """Learns a vector by the cross-entropy of labels, through the frozen host.

    It starts from zero, which looks everywhere alike.

    Args:
        host: The frozen classifier.
        pairs: Texts and labels to learn from.
        settings: See there; the defaults when not given.
        steps: Texts in all: each has one allocation.
        validator: Sees the vector before, now and then, and at the end; it keeps the best.
        every: Steps between two validations.
        lanes: Texts in a batch, each of which is an update.
        max_source: Longer texts are cut, in tokens.
        seed: Fixes the order of the texts.
        progress: Whether to draw a progress bar.

    Returns:
        The vector at the end.

    Raises:
        InputError: If the host does not know a label.
    """
    settings = settings or WeightsSettings()
    vector = torch.zeros(host.d_model, device=host.device, requires_grad=True)

    def now() -> LabelWeights:
        return LabelWeights(host, vector.detach().clone(), max_source)

    descend(
        [vector],
        label_lessons(host, pairs, lanes=lanes, max_source=max_source, seed=seed),
        lambda lesson, used: (label_surprise(host, lesson, vector), len(lesson)),
        lambda env_steps: validator.validate(now(), env_steps),
        learning_rate=settings.learning_rate,
        clip=settings.clip,
        steps=steps,
        every=every,
        seed=seed,
        progress=progress,
    )
    return now()


def label_surprise(host: ClassifierHost[Any], lesson: LabelLesson, vector: Tensor) -> Tensor:
    """The cross-entropy of the labels under a vector, in nats, summed over texts."""
    logits = host.classify(lesson.encoded, weighed(lesson.encoded, vector))
    host.usage.backwards += len(lesson)
    return F.cross_entropy(logits, lesson.label, reduction="sum")
