"""What a reading budget pays in seconds: generate() under a policy against plain generate().

A host with random weights writes from long sources, whose memories are given to both. Policies with
random weights, too, decide at each step which positions are read: `gate` one by one, `gate:16` in
blocks of 16, `topk` the best of them; their thresholds are set so that they keep to the budget.
All take turns in one process, and ratios are taken within a round; peak memory is that of a process
of its own.

With pictures, in about twenty minutes: --sweep --out runs/budget.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from rlattn.cli import run_program
from rlattn.experiments.budget.picture import draw
from rlattn.experiments.budget.points import CONTESTANTS, measure
from rlattn.experiments.budget.settings import Config, check, main_task, points
from rlattn.experiments.budget.writing import Task
from rlattn.experiments.outputs import claim_output, write_json
from rlattn.experiments.provenance import provenance
from rlattn.experiments.throughput.measure import Spread


def run(config: Config, console: Console, errors: Console) -> dict[str, Any]:
    """Measures, prints, and writes the out folder if one is given.

    Args:
        config: What to measure.
        console: Where the results go.
        errors: Where everything else goes.

    Returns:
        What also stands in ``results.json``.

    Raises:
        InputError: If something given cannot be used; no out folder is made then.
    """
    check(config)
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    out = None if config.out is None else claim_output(config.out)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    sweep: dict[str, list[tuple[float, Any]]] = {}
    with Progress(*columns, console=errors, transient=True) as bar:
        line = bar.add_task("")

        def at(task: Task) -> dict[str, Any]:
            place = f"{task.source} tokens, batch {task.batch}, {task.budget:.0%}"
            return measure(
                task,
                config.rounds,
                lambda name: bar.update(line, description=f"{place}: {name}"),
            )

        main = at(main_task(config))
        for axis, task in points(config) if config.sweep else ():
            found = main if task == main_task(config) else at(task)
            sweep.setdefault(axis, []).append((getattr(task, axis), found))
    results = {
        "task": asdict(main_task(config)),
        "threads": torch.get_num_threads(),
        "main": main,
        "sweep": sweep,
    }
    if out is not None:
        write_json(out / "results.json", {**_plain(results), "provenance": provenance()})
        if sweep:
            draw(out / "budget.png", sweep, _rest(main_task(config)))
    if config.json:
        console.file.write(json.dumps(_plain(results), allow_nan=False) + "\n")
    else:
        _print(console, main, main_task(config))
    return results


def _rest(task: Task) -> dict[str, str]:
    source, batch = f"{task.source} source tokens", f"batch {task.batch}"
    budget = f"{task.budget:.0%} read"
    return {
        "source": f"{batch}, {budget}",
        "batch": f"{source}, {budget}",
        "budget": f"{source}, {batch}",
    }


def _print(console: Console, found: dict[str, Any], task: Task) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    for heading in ("reads", "tokens/s", "times plain", "lowest – highest", "peak memory"):
        table.add_column(heading, justify="right")
    for name in CONTESTANTS:
        each = found[name]
        ratio = each["over_plain"]
        table.add_row(
            name,
            f"{each['reads']:.1%}",
            f"{each['tokens_per_s'].median:,.0f}",
            f"{ratio.median:.2f}",
            f"{ratio.low:.2f} – {ratio.high:.2f}",
            f"{each['peak_mb']:,.0f} MB",
        )
    console.print(table)
    console.print(
        f"{task.batch} sources of {task.source} tokens, {task.tokens} tokens written for each; "
        f"host {task.size}; {torch.get_num_threads()} threads",
        highlight=False,
    )


def _plain(tree: Any) -> Any:
    """The same with spreads as dictionaries."""
    if isinstance(tree, Spread):
        return asdict(tree)
    if isinstance(tree, dict):
        return {name: _plain(value) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_plain(value) for value in tree]
    return tree


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    program = partial(run, console=Console(emoji=False), errors=Console(stderr=True, emoji=False))
    run_program("rlattn.experiments.budget", __doc__, Config, program)


if __name__ == "__main__":
    main()
