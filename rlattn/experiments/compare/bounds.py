"""What could be reached by who knew more than a policy does, as a comparison runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np

from rlattn.agents import Point, Spent
from rlattn.agents.oracle import (
    oracle_bound,
    translate_by_oracle,
    translate_by_oracle_gate,
)
from rlattn.corpora import NoisyPair, Pair
from rlattn.experiments.compare.scene import Found, Outcome, Scene
from rlattn.experiments.statistics import corpus_scores
from rlattn.inference import Translations, translate


def find_bound(scene: Scene) -> Outcome:
    """Scores the oracle on the first validation sentences; learns nothing.

    What it finds is how likely references become along themselves, see `rlattn.agents.oracle`.
    """
    pairs = scene.valid[: scene.budget.bound_sentences]
    best = _scored(translate_by_oracle(scene.host, pairs, **scene.limits), pairs)
    along = oracle_bound(scene.host, pairs, **scene.limits)
    return Outcome(best, found={"sentences": len(pairs), "along_references": asdict(along)})


def write_bound(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates as near to the references as the oracle gets."""
    return translate_by_oracle(scene.host, pairs, **scene.limits, trace=trace)


def find_known(scene: Scene, write: Callable[[Scene, Sequence[Pair]], Translations]) -> Outcome:
    """Scores what knows which part of a noisy source is asked for; learns nothing."""
    return Outcome(_scored(write(scene, scene.valid), scene.valid))


def write_gated(scene: Scene, pairs: Sequence[Pair]) -> Translations:
    """Translates with a gate open on what is asked for."""
    return translate_by_oracle_gate(scene.host, pairs, **scene.limits)


def write_clean(scene: Scene, pairs: Sequence[Pair]) -> Translations:
    """Translates what is asked for alone, without the noise, natively."""
    asked = [pair.source[pair.asked] for pair in pairs if isinstance(pair, NoisyPair)]
    return translate(scene.host, asked, **scene.limits)


def _scored(output: Translations, pairs: Sequence[Pair]) -> Point:
    scores = corpus_scores(output.texts, [pair.target for pair in pairs])
    reads = float(np.mean(output.reads_fraction))
    return Point(0, scores.bleu, scores.chrf, reads, scores.bleu, Spent())
