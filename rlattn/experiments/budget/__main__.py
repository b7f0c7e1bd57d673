"""What a reading budget pays in seconds: generate() under a policy against plain generate().

A host with random weights writes from long sources, whose memories are given to both. Policies with
random weights, too, decide at each step which positions are read: `gate` one by one, `gate:16` in
blocks of 16, `topk` the best of them; their thresholds are set so that they keep to the budget.
All take turns in one process, and ratios are taken within a round; peak memory is that of a process
of its own.

With --policy, a trained policy and its host translate text instead, against the host alone.

With a picture, in about a quarter of an hour: --sweep --out runs/budget.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from rlattn.console.cli import find_policy, run_program
from rlattn.console.terminal import Terminal
from rlattn.corpora import load_corpus
from rlattn.experiments.budget.picture import draw
from rlattn.experiments.budget.points import measure
from rlattn.experiments.budget.real import compare
from rlattn.experiments.budget.settings import Config, check, main_task, points
from rlattn.experiments.budget.tables import print_main, print_text
from rlattn.experiments.budget.writing import Task, identity
from rlattn.experiments.outputs import CONFIG, RESULTS, as_json, claim_output, write_json
from rlattn.experiments.provenance import made_with


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
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with ExitStack() as held, Progress(*columns, console=errors, transient=True) as bar:
        line = bar.add_task("")

        def report(what: str) -> None:
            bar.update(line, description=what)

        if config.policy is None:
            made = made_with(None, identity(main_task(config)))
            out = _claim(config, made, held)
            results = _measure(config, report)
        else:
            report("loading")
            policy, host = find_policy(config.policy, config.host)
            corpus = load_corpus(config.corpus)
            pairs = corpus.test[: config.sentences]
            made = made_with(corpus, host)
            out = _claim(config, made, held)
            compared = compare(
                host,
                policy,
                pairs,
                batch=config.batch,
                rounds=config.rounds,
                max_source=config.max_source,
                max_target=config.max_target,
                report=report,
            )
            results = {"text": compared}
        results["threads"] = torch.get_num_threads()
        if out is not None:
            write_json(out / RESULTS, {**results, **made})
            if results.get("sweep"):
                draw(out / "budget.png", results["sweep"], _rest(main_task(config)))
    if config.json:
        console.file.write(json.dumps(as_json(results, "results")) + "\n")
    elif config.policy is None:
        print_main(console, results["main"], main_task(config))
    else:
        print_text(console, results["text"])
    return results


def _claim(config: Config, made: Mapping[str, Any], held: ExitStack) -> Path | None:
    """The out folder, if one is given, with what is asked for in it."""
    if config.out is None:
        return None
    out = held.enter_context(claim_output(config.out))
    write_json(out / CONFIG, {"experiment": "budget", **asdict(config), **made})
    return out


def _measure(config: Config, report: Callable[[str], None]) -> dict[str, Any]:
    def at(task: Task) -> dict[str, Any]:
        place = f"{task.source} tokens, batch {task.batch}, {task.budget:.0%} read"
        return measure(task, config.rounds, lambda name: report(f"{place}: {name}"))

    task = main_task(config)
    results: dict[str, Any] = {"task": asdict(task), "main": at(task), "sweep": {}}
    for axis, point in points(config) if config.sweep else ():
        found = results["main"] if point == task else at(point)
        results["sweep"].setdefault(axis, []).append((getattr(point, axis), found))
    return results


def _rest(task: Task) -> dict[str, str]:
    source, batch = f"{task.source} source tokens", f"batch {task.batch}"
    budget = f"{task.budget:.0%} read"
    return {
        "source": f"{batch}, {budget}",
        "batch": f"{source}, {budget}",
        "budget": f"{source}, {batch}",
    }


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    program = partial(run, console=Terminal(), errors=Terminal(stderr=True))
    run_program("rlattn.experiments.budget", __doc__, Config, program)


if __name__ == "__main__":
    main()
