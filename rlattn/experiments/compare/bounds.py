"""What could be reached by who knew more than a policy does, as a comparison runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rlattn.agents.oracle import (
    oracle_bound,
    translate_by_oracle,
    translate_by_oracle_gate,
)
from rlattn.agents.oracle.gate import asked_in
from rlattn.corpora import Pair
from rlattn.experiments.compare.method import Write
from rlattn.experiments.compare.scene import Found, Outcome, Scene, scored
from rlattn.inference import Translations, translate


def find_bound(scene: Scene) -> Outcome:
    """Scores the oracle on the first validation sentences; learns nothing.

    What it finds is how likely references become along themselves, see `rlattn.agents.oracle`.
    """
    pairs = scene.valid[: scene.budget.bound_sentences]
    best = scored(translate_by_oracle(scene.host, pairs, **scene.limits), pairs)
    along = oracle_bound(scene.host, pairs, **scene.limits)
    return Outcome(best, found={"sentences": len(pairs), "along_references": asdict(along)})


def write_bound(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates as near to the references as the oracle gets."""
    return translate_by_oracle(scene.host, pairs, **scene.limits, trace=trace)


def find_known(scene: Scene, write: Write) -> Outcome:
    """Scores what knows which part of a noisy source is asked for; learns nothing."""
    return Outcome(scored(write(scene, {}, scene.valid, False), scene.valid))


def write_gated(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates with a gate open on what is asked for."""
    return translate_by_oracle_gate(scene.host, pairs, **scene.limits)


def write_clean(scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool) -> Translations:
    """Translates what is asked for alone, without the noise, natively."""
    return translate(scene.host, [pair.source[asked_in(pair)] for pair in pairs], **scene.limits)
