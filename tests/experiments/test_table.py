from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from rlattn.experiments.resampling import Estimate
from rlattn.experiments.table import MethodResult, print_table, signed, signed_cell

NATIVE = MethodResult(
    "native", Estimate(97.7, 97.0, 98.3), Estimate(98.9, 98.5, 99.2), Estimate(1, 1, 1)
)
POLICY = MethodResult(
    "policy",
    Estimate(95.5, 94.9, 96.1),
    Estimate(97.5, 97.1, 98.0),
    Estimate(0.238, 0.234, 0.242),
    p_value=0.012,
)


def printed(*rows: MethodResult, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_table(console, rows, signatures=["nrefs:1|case:mixed"])
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_the_table_compares_every_method_with_native() -> None:
    lines = printed(NATIVE, POLICY).splitlines()
    native, policy = (
        next(line.split() for line in lines if line.split()[:1] == [name])
        for name in ("native", "policy")
    )
    assert native == [
        *("native", "97.7", "[97.0–98.3]", "98.9", "[98.5–99.2]"),
        *("100.0", "100.0", "–"),
    ]
    assert policy == [
        *("policy", "95.5", "[94.9–96.1]", "97.5", "[97.1–98.0]"),
        *("97.7", "23.8", "[23.4–24.2]", "0.012"),
    ]
    assert lines[-1] == "nrefs:1|case:mixed"


def test_nothing_is_lost_in_a_narrow_terminal() -> None:
    text = printed(NATIVE, POLICY, replace(POLICY, method="native top-12"), width=80)
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for part in ("95.5", "[94.9–96.1]", "97.7", "0.012", "top-12"):
        assert part in text


def test_a_native_score_of_zero_has_no_share() -> None:
    nothing = Estimate(0, 0, 0)
    assert "–" in printed(MethodResult("native", nothing, nothing, nothing))


def test_what_may_be_negative_has_no_dash_between_its_bounds() -> None:
    assert signed_cell(Estimate(-0.02, -0.03, -0.01), digits=2) == "−0.02 [−0.03, −0.01]"
    assert signed_cell(Estimate(0.5, -0.25, 1.25), digits=2) == "0.50 [−0.25, 1.25]"
    assert signed_cell(Estimate(-1, -1, -1)) == "−1.0"


def test_a_zero_has_no_sign() -> None:
    assert signed(-0.0004, 3) == signed(0.0, 3) == "0.000"


def test_a_result_becomes_plain_values_with_intervals() -> None:
    assert POLICY.to_json() == {
        "method": "policy",
        "bleu": 95.5,
        "bleu_interval": [94.9, 96.1],
        "chrf": 97.5,
        "chrf_interval": [97.1, 98.0],
        "reads_fraction": 0.238,
        "reads_fraction_interval": [0.234, 0.242],
    }
