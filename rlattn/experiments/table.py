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
            estimate: Estimate = getattr(self, name)
            result[name] = estimate.value
            result[f"{name}_interval"] = [estimate.low, estimate.high]
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
            _cell(row.bleu),
            _cell(row.chrf),
            f"{100 * row.bleu.value / native:.1f}" if native else "–",
            _cell(row.reads_fraction, scale=100),
            "–" if row.p_value is None else f"{row.p_value:.3f}",
        )
    console.print(table)
    for signature in signatures:
        console.print(signature, style="dim", markup=False, highlight=False)


def _cell(estimate: Estimate, scale: float = 1) -> str:
    value, low, high = (scale * x for x in (estimate.value, estimate.low, estimate.high))
    # No space within the brackets: a narrow terminal breaks the cell before them, not inside.
    return f"{value:.1f}" if low == high else f"{value:.1f} [{low:.1f}–{high:.1f}]"
