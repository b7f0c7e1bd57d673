"""The closing tables of a classification run: every method's quality, and its explanations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from rlattn.experiments.label_scores import LabelBootstrap, McNemar
from rlattn.experiments.resampling import Estimate
from rlattn.experiments.table import cell, signed, signed_cell, with_interval
from rlattn.explanation import Faithfulness
from rlattn.inference import Readings

_SCORES = ("accuracy", "macro_f1", "calibration_error", "log_likelihood", "reads_fraction")


@dataclass(frozen=True)
class LabelResult:
    """How one method labelled the test set.

    Attributes:
        method: Its name in the table.
        accuracy: Texts that are labelled rightly, 0 to 100.
        macro_f1: Mean of the labels' F1, 0 to 100.
        calibration_error: Expected calibration error, 0 to 1.
        log_likelihood: Of the right labels, mean over texts, in nats.
        reads_fraction: How much of a text was read, mean over texts, 0 to 1.
        mcnemar: Against native; None of native itself.
    """

    method: str
    accuracy: Estimate
    macro_f1: Estimate
    calibration_error: Estimate
    log_likelihood: Estimate
    reads_fraction: Estimate
    mcnemar: McNemar | None = None

    @classmethod
    def of(
        cls, method: str, readings: Readings, native: Readings, bootstrap: LabelBootstrap
    ) -> LabelResult:
        """Scores what a method made of the test set.

        Args:
            method: Its name.
            readings: What it made of the texts.
            native: What native attention made of them.
            bootstrap: Knows the right labels.
        """
        return cls(
            method,
            bootstrap.accuracy(readings),
            bootstrap.macro_f1(readings),
            bootstrap.calibration_error(readings),
            bootstrap.log_likelihood(readings),
            bootstrap.mean(readings.reads_fraction),
            None if readings is native else bootstrap.mcnemar(readings, native),
        )

    def to_json(self) -> dict[str, object]:
        """Returns plain values by name, each with its ``[low, high]`` beside it."""
        result: dict[str, object] = {"method": self.method}
        for name in _SCORES:
            result |= with_interval(name, getattr(self, name))
        if self.mcnemar is not None:
            result["mcnemar"] = self.mcnemar
        return result


@dataclass(frozen=True)
class ExplanationResult:
    """How faithful one method's rationales are, all methods' of the same sizes.

    Attributes:
        method: Its name in the table.
        comprehensiveness: Mean drop in probability without the rationale.
        sufficiency: Mean drop in probability with the rationale alone.
    """

    method: str
    comprehensiveness: Estimate
    sufficiency: Estimate

    @classmethod
    def of(cls, method: str, found: Faithfulness, bootstrap: LabelBootstrap) -> ExplanationResult:
        """Sums up what was found for each text."""
        drops = (found.comprehensiveness, found.sufficiency)
        return cls(method, *(bootstrap.mean(drop.astype(np.float64)) for drop in drops))

    def to_json(self) -> dict[str, object]:
        """Returns plain values by name, each with its ``[low, high]`` beside it."""
        return {
            "method": self.method,
            **with_interval("comprehensiveness", self.comprehensiveness),
            **with_interval("sufficiency", self.sufficiency),
        }


def print_labels(console: Console, rows: Sequence[LabelResult]) -> None:
    """Prints how well methods label, native first."""
    # Four columns with intervals is what a terminal of 80 characters has room for.
    table = _table("accuracy", "macro F1", "ECE %", "log-lik.", "reads %", "p vs\nnative")
    for row in rows:
        table.add_row(
            row.method,
            cell(row.accuracy),
            cell(row.macro_f1),
            cell(row.calibration_error, scale=100),
            signed(row.log_likelihood.value, 3),
            cell(row.reads_fraction, scale=100),
            "–" if row.mcnemar is None else f"{row.mcnemar.p_value:.3f}",
        )
    console.print("", table, sep="\n")


def print_explanations(console: Console, rows: Sequence[ExplanationResult]) -> None:
    """Prints how faithful rationales are."""
    table = _table("comprehensiveness", "sufficiency")
    for row in rows:
        scores = (row.comprehensiveness, row.sufficiency)
        table.add_row(row.method, *(signed_cell(score, digits=3) for score in scores))
    console.print("", table, sep="\n")


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    table.add_column("method")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table
