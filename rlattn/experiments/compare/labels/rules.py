"""Rules that say what a classifier reads, and need no learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from rlattn.agents import LabelPoint
from rlattn.agents.rules.counts import counts_for
from rlattn.corpora import Pair
from rlattn.experiments.compare.labels.scene import LabelScene, scored_labels
from rlattn.experiments.compare.scene import Found, Outcome
from rlattn.explanation import Scores, attention_scores, random_scores, top
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference import Readings
from rlattn.inference.classification import classify_parts, classify_texts, classify_under
from rlattn.steering import Allocation

_SHARES = (0.5, 0.3, 0.2, 0.1)
"""What a ranking may open where no target of reads is given: the best on validation texts."""

Rank = Callable[[ClassifierHost[Any], Sequence[Sequence[int]], int], Sequence[Scores]]
"""Ranks the tokens of texts, given a seed; the highest are read."""


def by_attention(
    host: ClassifierHost[Any], sources: Sequence[Sequence[int]], seed: int
) -> Sequence[Scores]:
    """Where the host looks by itself comes first."""
    return attention_scores(host, sources)


def by_chance(
    host: ClassifierHost[Any], sources: Sequence[Sequence[int]], seed: int
) -> Sequence[Scores]:
    """Any token is as good as any other."""
    return random_scores(sources, seed)


def by_place(
    host: ClassifierHost[Any], sources: Sequence[Sequence[int]], seed: int
) -> Sequence[Scores]:
    """The beginning comes first."""
    return [-np.arange(len(row), dtype=np.float32) for row in sources]


def choose_share(scene: LabelScene, *, rank: Rank) -> Outcome[LabelPoint]:
    """Takes the target of reads, or else the share with the best accuracy on validation texts.

    Args:
        scene: What to work with.
        rank: What comes first.
    """
    target = None if scene.task is None else scene.task.reads
    tried = [
        (scored_labels(write_top(scene, {"reads": share}, scene.valid, rank), scene.valid), share)
        for share in (_SHARES if target is None else (target,))
    ]
    best, share = max(tried, key=lambda each: each[0].score)
    return Outcome(best, found={"reads": share})


def write_top(scene: LabelScene, found: Found, pairs: Sequence[Pair], rank: Rank) -> Readings:
    """Labels texts from the tokens that come first, as many as make up the share."""
    sources = scene.host.tokenize([pair.source for pair in pairs], scene.budget.max_source)
    counts = counts_for(np.array([len(row) for row in sources.ids]), found["reads"])
    chosen = top(rank(scene.host, sources.ids, scene.seed), counts.tolist())
    return classify_parts(scene.host, sources, chosen)


def write_native(scene: LabelScene, found: Found, pairs: Sequence[Pair]) -> Readings:
    """Labels texts as the host does by itself."""
    return classify_texts(scene.host, [pair.source for pair in pairs], **scene.limits)


def write_uniform(scene: LabelScene, found: Found, pairs: Sequence[Pair]) -> Readings:
    """Labels texts with equal attention on all of their tokens."""
    return classify_under(
        scene.host,
        [pair.source for pair in pairs],
        lambda encoded: Allocation("replace", encoded.mask.to(torch.float32)),
        **scene.limits,
    )
