"""What a terminal shows at the end: the heart of the tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from rlattn.experiments.compare.rows import Row
from rlattn.experiments.compare.significance import Pair
from rlattn.experiments.compare.tables import heading, interval, reads_cell
from rlattn.experiments.compare.tasks import Task


def print_tables(
    console: Console,
    rows: Sequence[Row],
    tasks: Sequence[Task],
    pairs: Sequence[Pair],
    quality: str,
) -> None:
    """Prints quality and reads of every method on every task.

    Args:
        console: Where to.
        rows: What `summarise` gives.
        tasks: The tasks, each with a table of its own.
        pairs: The tests of one method against another.
        quality: What the quality is called.
    """
    for task in tasks:
        table = Table(
            title=heading(task), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
        )
        table.add_column("method")
        for name in (quality, "% native", "reads %", "p vs native"):
            table.add_column(name, justify="right")
        p_values = {
            pair.method: f"{pair.p_value:.3f}"
            for pair in pairs
            if pair.task == task.name and pair.baseline == "native"
        }
        for row in rows:
            if row.task in (task.name, None):
                table.add_row(
                    row.method,
                    interval(row.quality),
                    f"{100 * sum(row.of_native) / len(row.of_native):.1f}",
                    reads_cell(row, task),
                    p_values.get(row.method, "–"),
                )
        console.print(table)
