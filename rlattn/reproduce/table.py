"""The table of what is equal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rlattn.reproduce.sameness import State, Verdict

_STYLES: dict[State, str] = {"equal": "green", "differs": "bold red", "left out": "dim"}


def print_verdicts(console: Console, verdicts: Sequence[Verdict]) -> None:
    """Prints a row for each file, and how many there are of each kind.

    Args:
        console: Where to print.
        verdicts: In the order of the rows.
    """
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", overflow="fold")
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for verdict in verdicts:
        state = Text(verdict.state, _STYLES[verdict.state])
        table.add_row(verdict.name, state, verdict.why)
    console.print(table)
    count = Counter(verdict.state for verdict in verdicts)
    counts = ", ".join(f"{count[state]} {state}" for state in _STYLES)
    console.print(f"{len(verdicts)} files: {counts}", highlight=False)
