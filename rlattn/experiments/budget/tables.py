"""The results for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from rlattn.experiments.budget.points import CONTESTANTS
from rlattn.experiments.budget.real import NATIVE, POLICY
from rlattn.experiments.budget.writing import Task
from rlattn.experiments.throughput.measure import Spread


def print_main(console: Console, found: Mapping[str, Any], task: Task) -> None:
    """Prints a task with random weights, and what it was."""
    table = _table("reads", "tokens/s", "times plain", "lowest – highest", "peak memory")
    for name in CONTESTANTS:
        each = found[name]
        table.add_row(
            name,
            f"{each['reads']:.1%}",
            f"{each['tokens_per_s'].median:,.0f}",
            *_ratio(each["over_plain"]),
            f"{each['peak_mb']:,.0f} MB",
        )
    console.print(table)
    console.print(
        f"{task.batch} sources of {task.source} tokens, {task.tokens} tokens written for each; "
        f"host {task.size}; {torch.get_num_threads()} threads",
        highlight=False,
    )


def print_text(console: Console, found: Mapping[str, Any]) -> None:
    """Prints what a trained policy did on text."""
    table = _table("BLEU [95 %]", "reads", "sentences/s", "times native", "lowest – highest")
    for name in (NATIVE, POLICY):
        each = found[name]
        bleu = each["bleu"]
        table.add_row(
            name,
            f"{bleu.value:.1f} [{bleu.low:.1f}–{bleu.high:.1f}]",
            f"{each['reads'].value:.1%}",
            f"{each['sentences_per_s'].median:.2f}",
            *_ratio(each["over_native"]),
        )
    console.print(table)
    console.print(
        f"{found['sentences']} sentences; the policy keeps {found['bleu_of_native']:.1%} of the "
        f"BLEU; {torch.get_num_threads()} threads",
        highlight=False,
    )


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _ratio(ratio: Spread) -> tuple[str, str]:
    return f"{ratio.median:.2f}", f"{ratio.low:.2f} – {ratio.high:.2f}"
