"""The scores of a run as its policy carries them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlattn.inference import Score, Scores

_MEASURES = ("bleu", "chrf", "reads_fraction")


def card_scores(results: Mapping[str, Any], validated: int) -> Scores:
    """What ``results.json`` says of the methods, native first.

    Args:
        results: What goes there.
        validated: How many sentences the validation has.
    """
    valid = {"native": {**results["valid"]["native"], "reads_fraction": 1.0}}
    valid["policy"] = results["valid"]["kept"]
    test = {method: results[method] for method in ("native", "policy", "topk")}
    rows = [_row("validation", method, validated, row) for method, row in valid.items()]
    rows += [_row("test", method, results["test_sentences"], row) for method, row in test.items()]
    return Scores(tuple(rows), dict(results["signatures"]))


def _row(split: str, method: str, sentences: int, measured: Mapping[str, Any]) -> Score:
    intervals: dict[str, Any] = {
        f"{name}_interval": tuple(measured[f"{name}_interval"])
        for name in _MEASURES
        if f"{name}_interval" in measured
    }
    return Score(split, method, sentences, *(measured[name] for name in _MEASURES), **intervals)
