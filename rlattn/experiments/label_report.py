"""How well each label is told apart, as text."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import classification_report

from rlattn.experiments.label_scores import columns
from rlattn.inference.readings import Readings
from rlattn.visible import visible


def label_report(truth: Sequence[str], readings: Readings) -> str:
    """Writes scikit-learn's report: precision, recall, F1 and support of each label, and averages.

    Numbers are 0 to 1, and 0 where there is nothing to divide by. Labels that are neither true nor
    predicted of any text take no part in the averages and are named below them. Labels are shown
    as `visible` has them.

    Args:
        truth: The true label of each text.
        readings: What a method made of the texts.

    Returns:
        The lines, each with its end. They are no markup of rich.

    Raises:
        ValueError: If there are no texts, another number of them was labelled, or a true label is
            not among the names.
    """
    if not truth:
        raise ValueError("there are no texts to score")
    if len(readings.labels) != len(truth):
        raise ValueError(f"{len(readings.labels)} labels were given for {len(truth)} texts")
    true, predicted = (columns(labels, readings.names) for labels in (truth, readings.labels))
    shown = [visible(name) for name in readings.names]
    present = sorted({*true.tolist(), *predicted.tolist()})
    report: str = classification_report(
        true,
        predicted,
        labels=present,
        target_names=[shown[number] for number in present],
        digits=3,
        zero_division=0,
    )
    absent = [name for number, name in enumerate(shown) if number not in present]
    return f"{report}\nneither true nor predicted: {', '.join(absent)}\n" if absent else report
