"""The results for people: one line per figure, its spread beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from rlattn.experiments.provenance import MADE_WITH


def print_results(console: Console, results: Mapping[str, Any]) -> None:
    """Prints what was measured, and below it on what."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("figure")
    for heading in ("median", "lowest – highest"):
        table.add_column(heading, justify="right")
    spreads = dict(_leaves(results["spreads"]))
    for name, value in _leaves(results):
        if name in spreads:
            low, high = spreads[name]
            table.add_row(name, _number(value), f"{_number(low)} – {_number(high)}")
        elif isinstance(value, float) and not name.startswith(("plan ", "workload ")):
            table.add_row(name, _number(value), "")
    console.print(table)
    work = results["workload"]
    said = f"{work['host']}: {work['parameters'] / 1e6:.1f}M parameters, "
    if "prefix" in work:
        said += f"prefix {work['prefix']}, {work['mean_source']:.1f} source and "
        said += f"{work['mean_target']:.1f} target tokens"
    else:
        said += f"{work['mean_source']:.1f} tokens, {work['allocations']} allocations"
    console.print(
        f"{said}; {results['threads']} threads on {results['device']}",
        style="dim",
        markup=False,
        highlight=False,
    )


def _leaves(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            if name not in ("spreads", "sweeps", *MADE_WITH):
                yield from _leaves(value, f"{above}{name} ")
        else:
            yield f"{above}{name}", value


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
