"""The closing tables: the numbers of every method, in words and in JSON."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from rlattn.experiments.label_scores import LabelBootstrap, McNemar
from rlattn.experiments.label_table import (
    ExplanationResult,
    LabelResult,
    print_explanations,
    print_labels,
)
from rlattn.experiments.resampling import Estimate
from rlattn.explanation import Faithfulness
from tests.experiments.labelling import NAMES, likely

NATIVE = LabelResult(
    "native",
    accuracy=Estimate(91.5, 89.0, 94.0),
    macro_f1=Estimate(90.2, 88.1, 92.3),
    calibration_error=Estimate(0.031, 0.02, 0.045),
    log_likelihood=Estimate(-0.253, -0.301, -0.204),
    reads_fraction=Estimate(1, 1, 1),
)
POLICY = replace(
    NATIVE,
    method="policy",
    accuracy=Estimate(88.0, 85.5, 90.5),
    reads_fraction=Estimate(0.238, 0.234, 0.242),
    mcnemar=McNemar(3, 17, 0.0026),
)
RATIONALE = ExplanationResult("policy", Estimate(0.41, 0.35, 0.47), Estimate(-0.012, -0.03, 0.004))


def printed(*rows: LabelResult, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_labels(console, rows)
    return console.file.getvalue()  # type: ignore[attr-defined]


def printed_explanations(*rows: ExplanationResult, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_explanations(console, rows)
    return console.file.getvalue()  # type: ignore[attr-defined]


def row(text: str, name: str) -> list[str]:
    (found,) = (line.split() for line in text.splitlines() if line.split()[:1] == [name])
    return found[1:]


def test_the_table_compares_every_method_with_native() -> None:
    text = printed(NATIVE, POLICY)
    assert row(text, "native") == [
        *("91.5", "[89.0–94.0]", "90.2", "[88.1–92.3]", "3.1", "[2.0–4.5]"),
        *("−0.253", "100.0", "–"),
    ]
    assert row(text, "policy") == [
        *("88.0", "[85.5–90.5]", "90.2", "[88.1–92.3]", "3.1", "[2.0–4.5]"),
        *("−0.253", "23.8", "[23.4–24.2]", "0.003"),
    ]


def test_rationales_have_a_table_of_their_own() -> None:
    text = printed_explanations(RATIONALE)
    assert row(text, "policy") == ["0.410", "[0.350,", "0.470]", "−0.012", "[−0.030,", "0.004]"]


def test_nothing_is_lost_in_a_narrow_terminal() -> None:
    share = Estimate(97.25, 94.5, 100.0)  # as wide as a score can be
    wide = replace(
        POLICY,
        accuracy=share,
        macro_f1=share,
        calibration_error=Estimate(0.123, 0.1, 0.145),
        log_likelihood=Estimate(-103.279, -103.279, -103.279),
        reads_fraction=Estimate(0.9725, 0.945, 1.0),
    )
    text = printed(NATIVE, POLICY, wide, width=80)
    for part in ("[94.5–100.0]", "[10.0–14.5]", "[85.5–90.5]", "−103.279", "0.003", "macro F1"):
        assert part in text
    text += printed_explanations(replace(RATIONALE, method="gradient x input"), width=80)
    for part in ("gradient x input", "0.410 [0.350, 0.470]", "−0.012 [−0.030, 0.004]"):
        assert part in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_result_becomes_plain_values_with_intervals() -> None:
    result = POLICY.to_json()
    assert result["accuracy"] == 88.0
    assert result["accuracy_interval"] == [85.5, 90.5]
    assert result["mcnemar"] == McNemar(3, 17, 0.0026)
    assert "mcnemar" not in NATIVE.to_json()
    scores = ("accuracy", "macro_f1", "calibration_error", "log_likelihood", "reads_fraction")
    intervals = (f"{name}_interval" for name in scores)
    assert set(result) == {"method", *scores, *intervals, "mcnemar"}
    assert RATIONALE.to_json() == {
        "method": "policy",
        "comprehensiveness": 0.41,
        "comprehensiveness_interval": [0.35, 0.47],
        "sufficiency": -0.012,
        "sufficiency_interval": [-0.03, 0.004],
    }


def test_scores_are_those_of_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    native, policy = (likely(rng.dirichlet(np.ones(3), size=50)) for _ in range(2))
    policy = replace(policy, reads_fraction=rng.random(50).tolist())
    bootstrap = LabelBootstrap([NAMES[n] for n in rng.integers(3, size=50)], NAMES)
    result = LabelResult.of("policy", policy, native, bootstrap)
    assert result == LabelResult(
        "policy",
        bootstrap.accuracy(policy),
        bootstrap.macro_f1(policy),
        bootstrap.calibration_error(policy),
        bootstrap.log_likelihood(policy),
        bootstrap.mean(policy.reads_fraction),
        bootstrap.mcnemar(policy, native),
    )
    assert LabelResult.of("native", native, native, bootstrap).mcnemar is None


def test_drops_are_means_over_texts() -> None:
    rng = np.random.default_rng(0)
    drops = Faithfulness(*rng.normal(size=(2, 50)).astype(np.float32))
    result = ExplanationResult.of("random", drops, LabelBootstrap(["stone"] * 50, NAMES))
    for name in ("comprehensiveness", "sufficiency"):
        estimate = getattr(result, name)
        assert estimate.value == pytest.approx(float(getattr(drops, name).mean()), rel=1e-5)
        assert estimate.low < estimate.value < estimate.high
