"""The scores of a run as its policy carries them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rlattn.inference import LabelScore, LabelScores, Score, Scores

_METHODS = ("native", "policy", "topk", "random")


def card_scores(results: Mapping[str, Any], validated: int) -> Scores:
    """What ``results.json`` says of the methods, native first.

    Args:
        results: What goes there.
        validated: How many sentences the validation has.
    """
    rows = _rows(results, ("bleu", "chrf", "reads_fraction"))
    counts = {"validation": validated, "test": results["test_sentences"]}
    scores = (Score(sentences=counts[row["split"]], **row) for row in rows)
    return Scores(tuple(scores), dict(results["signatures"]))


def card_label_scores(results: Mapping[str, Any], validated: int) -> LabelScores:
    """The same of a run of classification.

    Args:
        results: What goes into ``results.json``.
        validated: How many texts the validation has.
    """
    rows = _rows(results, ("accuracy", "macro_f1", "reads_fraction"))
    counts = {"validation": validated, "test": results["test_texts"]}
    return LabelScores(tuple(LabelScore(texts=counts[row["split"]], **row) for row in rows))


def _rows(results: Mapping[str, Any], measures: Sequence[str]) -> Iterator[dict[str, Any]]:
    valid = {
        "native": {**results["valid"]["native"], "reads_fraction": 1.0},
        "policy": results["valid"]["kept"],
    }
    test = {method: results[method] for method in _METHODS if method in results}
    for split, methods in {"validation": valid, "test": test}.items():
        for method, measured in methods.items():
            intervals = {
                interval: tuple(measured[interval])
                for name in measures
                if (interval := f"{name}_interval") in measured
            }
            values = {name: measured.get(name) for name in measures}
            yield {"split": split, "method": method, **values, **intervals}
