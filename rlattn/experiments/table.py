"""The closing table of a run: every method's quality and reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from rlattn.experiments.resampling import Estimate


@dataclass(frozen=True)
class MethodResult:
    """How one method did on the test set.

    Attributes:
        method: Its name in the table.
        bleu: Corpus BLEU, 0 to 100.
        chrf: Corpus chrF, 0 to 100.
        reads_fraction: Mean fraction of the source that was open, 0 to 1.
        p_value: p of its BLEU against native, or None where that was not tested.
    """

    method: str
    bleu: Estimate
    chrf: Estimate
    reads_fraction: Estimate
    p_value: float | None = None

    def to_json(self) -> dict[str, object]:
        """Returns plain values by name, each with its ``[low, high]`` beside it."""
        result: dict[str, object] = {"method": self.method}
        for name in ("bleu", "chrf", "reads_fraction"):
            result |= with_interval(name, getattr(self, name))
        return result


def print_table(
    console: Console, rows: Sequence[MethodResult], signatures: Sequence[str] = ()
) -> None:
    """Prints the table, the signatures of its scores below it.

    Args:
        console: Where to print.
        rows: The methods, native first: it is what the others are compared with.
        signatures: sacreBLEU signatures.
    """
    native = rows[0].bleu.value
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("method")
    for heading in ("BLEU", "chrF", "% native BLEU", "reads %", "p vs native"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.method,
            cell(row.bleu),
            cell(row.chrf),
            f"{100 * row.bleu.value / native:.1f}" if native else "–",
            cell(row.reads_fraction, scale=100),
            "–" if row.p_value is None else f"{row.p_value:.3f}",
        )
    console.print(table)
    for signature in signatures:
        console.print(signature, style="dim", markup=False, highlight=False)


def with_interval(name: str, estimate: Estimate) -> dict[str, object]:
    """A value by its name, with its ``[low, high]`` beside it, for JSON."""
    return {name: estimate.value, f"{name}_interval": [estimate.low, estimate.high]}


def cell(estimate: Estimate, *, scale: float = 1, digits: int = 1) -> str:
    """An estimate as tables show it; without an interval where that is a point.

    Args:
        estimate: What was measured.
        scale: What it is multiplied by.
        digits: How many decimals are shown.
    """
    value, low, high = (scale * x for x in (estimate.value, estimate.low, estimate.high))
    if low == high:
        return f"{value:.{digits}f}"
    # No space within the brackets: a narrow terminal breaks the cell before them, not inside.
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def signed_cell(estimate: Estimate, *, digits: int = 1) -> str:
    """The same for what may be negative: a dash between the bounds would look like a sign.

    Args:
        estimate: What was measured.
        digits: How many decimals are shown.
    """
    value, low, high = (signed(x, digits) for x in (estimate.value, estimate.low, estimate.high))
    return value if estimate.low == estimate.high else f"{value} [{low}, {high}]"


def signed(number: float, digits: int) -> str:
    """A number with a minus sign, not a hyphen, where it is below zero as it is shown."""
    return f"{number:z.{digits}f}".replace("-", "−")
