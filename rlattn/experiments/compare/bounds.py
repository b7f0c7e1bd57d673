"""What attention alone could reach, as a comparison runs it: on few sentences, with references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from rlattn.agents import Point, Spent
from rlattn.agents.oracle import oracle_bound, translate_by_oracle
from rlattn.corpora import Pair
from rlattn.experiments.compare.scene import Found, Outcome, Scene
from rlattn.experiments.statistics import corpus_scores
from rlattn.inference import Translations


def find_bound(scene: Scene) -> Outcome:
    """Scores the oracle on the first validation sentences; learns nothing.

    What it finds is how likely references become along themselves, see `rlattn.agents.oracle`.
    """
    pairs = scene.valid[: scene.budget.bound_sentences]
    output = translate_by_oracle(scene.host, pairs, **scene.limits)
    scores = corpus_scores(output.texts, [pair.target for pair in pairs])
    reads = float(np.mean(output.reads_fraction))
    best = Point(0, scores.bleu, scores.chrf, reads, scores.bleu, Spent())
    along = oracle_bound(scene.host, pairs, **scene.limits)
    return Outcome(best, found={"sentences": len(pairs), "along_references": asdict(along)})


def write_bound(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates as near to the references as the oracle gets."""
    return translate_by_oracle(scene.host, pairs, **scene.limits, trace=trace)
