"""What a method makes of the test texts, and how faithful what it read is to their labels."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rlattn.corpora import Pair
from rlattn.experiments.compare.labels.scene import LabelScene
from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.scene import Found
from rlattn.explanation import Rationale, attention_scores, faithfulness_by_name, top
from rlattn.inference import Readings


def label_test(
    scene: LabelScene, method: Method, found: Found, texts: Sequence[Pair]
) -> dict[str, Any]:
    """Labels the test texts once.

    Where reads have a target, what was read is judged as a rationale, beside as many tokens of each
    text that native attention puts first.

    Args:
        scene: What to work with.
        method: How.
        found: What its training found.
        texts: All test texts.
    """
    started = time.monotonic()
    read = method.write(scene, found, texts[: scene.budget.test_sentences], False)
    seconds = time.monotonic() - started
    budget = scene.task is not None and scene.task.reads is not None
    return {
        "names": read.names,
        "labels": read.labels,
        "probabilities": read.probabilities,
        "opened": read.opened,
        "reads_fraction": read.reads_fraction,
        "truncated": read.truncated,
        "seconds": seconds,
        "sufficiency": _sufficiency(scene, read) if budget else {},
    }


def _sufficiency(scene: LabelScene, read: Readings) -> dict[str, Any]:
    """By whose rationale, the drop in probability with it alone, for each text."""
    sizes = [sum(step > 0 for step in opened) for opened in read.opened]
    rationales: dict[str, Sequence[Rationale]] = {
        "own": read.opened,
        "attention": top(attention_scores(scene.host, read.tokens), sizes),
    }
    found = faithfulness_by_name(scene.host, read.tokens, rationales)
    return {name: each.sufficiency for name, each in found.items()}
