"""What could be reached by who knew which part of a noisy text is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from rlattn.agents.oracle.gate import asked_in
from rlattn.corpora import Pair
from rlattn.experiments.compare.labels.scene import LabelScene
from rlattn.experiments.compare.scene import Found
from rlattn.hosts.classifier.asked import asked_tokens
from rlattn.inference import Readings
from rlattn.inference.classification import classify_parts, classify_texts


def write_gated(scene: LabelScene, found: Found, pairs: Sequence[Pair]) -> Readings:
    """Labels texts with a gate open on what is asked for.

    Of a text that is cut before that, special tokens are all that is read.
    """
    for pair in pairs:
        asked_in(pair)  # refuses what does not say
    sources = scene.host.tokenize([pair.source for pair in pairs], scene.budget.max_source)
    places = asked_tokens(scene.host.tokenizer, pairs)
    opened = [
        [int(first <= place < last) for place in range(len(row))]
        for row, (first, last) in zip(sources.ids, places, strict=True)
    ]
    return classify_parts(scene.host, sources, opened)


def write_clean(scene: LabelScene, found: Found, pairs: Sequence[Pair]) -> Readings:
    """Labels what is asked for alone, without the noise, natively."""
    texts = [pair.source[asked_in(pair)] for pair in pairs]
    return classify_texts(scene.host, texts, **scene.limits)
