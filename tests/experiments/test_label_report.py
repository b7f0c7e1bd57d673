from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from rlattn.experiments.label_report import label_report
from rlattn.experiments.label_scores import LabelBootstrap
from tests.experiments.labelling import NAMES, certain

RNG = np.random.default_rng(0)
TRUTH, SAID = ([NAMES[n] for n in RNG.integers(3, size=50)] for _ in range(2))


def row(report: str, name: str) -> list[float]:
    (line,) = (line for line in report.splitlines() if line.strip().startswith(name))
    return [float(number) for number in line.replace(name, "").split()]


def test_each_label_has_its_precision_recall_f1_and_support() -> None:
    report = label_report(TRUTH, certain(SAID))
    expected = np.asarray(precision_recall_fscore_support(TRUTH, SAID, labels=NAMES)).T
    for name, numbers in zip(NAMES, expected, strict=True):
        assert row(report, name) == pytest.approx(numbers, abs=6e-4)


def test_its_averages_are_the_scores() -> None:
    report, bootstrap = label_report(TRUTH, certain(SAID)), LabelBootstrap(TRUTH, NAMES)
    accuracy = bootstrap.accuracy(certain(SAID)).value / 100
    macro_f1 = bootstrap.macro_f1(certain(SAID)).value / 100
    assert row(report, "accuracy") == pytest.approx([accuracy, 50], abs=6e-4)
    assert row(report, "macro avg")[2:] == pytest.approx([macro_f1, 50], abs=6e-4)
    assert row(report, "weighted avg")[1] == pytest.approx(accuracy, abs=6e-4)


def test_a_label_that_never_occurs_is_named_below_and_changes_nothing() -> None:
    truth, said = ["animal", "plant"], ["animal", "animal"]
    report = label_report(truth, certain(said))
    assert report.endswith("\nneither true nor predicted: stone\n")
    assert report.startswith(label_report(truth, certain(said, NAMES[:2])))


def test_a_label_that_is_never_predicted_has_a_precision_of_0() -> None:
    report = label_report(["animal", "plant"], certain(["animal", "animal"]))
    assert row(report, "plant") == [0, 0, 0, 1]


def test_a_single_text_has_a_report() -> None:
    assert row(label_report(["stone"], certain(["stone"])), "stone") == [1, 1, 1, 1]


def test_labels_are_shown_and_cannot_act_on_a_terminal() -> None:
    names = ("schön", "ängstlich\x1b[2J", "two\nlines", "back\u202e", "half\ud800", "[red]")
    report = label_report(names, certain(names, names))
    assert all(line.isprintable() for line in report.splitlines())
    for shown in ("schön", "ängstlich␛[2J", "two␊lines", r"back\u202e", r"half\ud800"):
        assert row(report, shown) == [1, 1, 1, 1]
    assert "[red]" in report
    absent = label_report(["schön"], certain(["schön"], names))
    assert "ängstlich␛[2J, two␊lines" in absent


def test_labels_that_differ_in_trailing_zeros_are_two() -> None:
    names = ("a", "a\0")
    assert row(label_report(names, certain(names[::-1], names)), "accuracy") == [0, 2]


def test_another_number_of_texts_or_an_unknown_label_is_an_error() -> None:
    with pytest.raises(ValueError, match="no texts"):
        label_report([], certain([]))
    with pytest.raises(ValueError, match="50 labels were given for 1 texts"):
        label_report(["stone"], certain(SAID))
    with pytest.raises(ValueError, match="'metal' is not among"):
        label_report(["metal"], certain(["stone"]))
