"""Rules that need no learning, as a comparison runs them: what is free is chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rlattn.agents.rules import length_ratio, make_rule, mass_for_reads, translate_by_rule
from rlattn.corpora import Pair
from rlattn.experiments.compare.scene import Found, Outcome, Scene, scored
from rlattn.inference import Translations, translate

_SHARES = (0.5, 0.3, 0.2, 0.1)
_MASSES = (0.95, 0.9, 0.8, 0.7, 0.5)
"""What a rule may read, and keep of the native attention, where no target of reads is given."""

_PAIRS = 1000
"""Of so many the lengths of sources and targets are compared."""

Choices = Callable[[Scene], Sequence[Found]]
"""What a rule may be given besides its name; the best on validation sentences is chosen."""


def nothing(scene: Scene) -> Sequence[Found]:
    """A rule that has nothing to choose."""
    return [{}]


def shares(scene: Scene) -> Sequence[Found]:
    """The target of reads, or several shares to choose from."""
    return [{"reads": reads} for reads in _reads(scene)]


def stretches(scene: Scene) -> Sequence[Found]:
    """Likewise, with how long targets are for their sources."""
    ratio = length_ratio(scene.host, scene.train[:_PAIRS], **scene.limits)
    return [{"reads": reads, "ratio": ratio} for reads in _reads(scene)]


def masses(scene: Scene) -> Sequence[Found]:
    """The mass that meets the target of reads on validation sentences, or several."""
    if scene.task is None or scene.task.reads is None:
        return [{"mass": mass} for mass in _MASSES]
    sources = [pair.source for pair in scene.valid]
    return [{"mass": mass_for_reads(scene.host, sources, scene.task.reads, **scene.limits)}]


def choose(scene: Scene, name: str, choices: Choices) -> Outcome:
    """Tries what a rule may be given, and keeps what has the highest BLEU on validation sentences.

    Args:
        scene: What to work with.
        name: The rule; `native` is none.
        choices: What it may be given.
    """
    tried = [
        (scored(write(scene, found, scene.valid, False, name=name), scene.valid), found)
        for found in choices(scene)
    ]
    best, found = max(tried, key=lambda each: each[0].score)
    return Outcome(best, found=found)


def write(
    scene: Scene, found: Found, pairs: Sequence[Pair], trace: bool, *, name: str
) -> Translations:
    """Translates under a rule with what was chosen for it, or natively."""
    sources = [pair.source for pair in pairs]
    if name == "native":
        return translate(scene.host, sources, **scene.limits, trace=trace)
    rule = make_rule(name, seed=scene.seed, **found)
    return translate_by_rule(scene.host, sources, rule, **scene.limits, trace=trace)


def _reads(scene: Scene) -> Sequence[float]:
    target = None if scene.task is None else scene.task.reads
    return _SHARES if target is None else (target,)
