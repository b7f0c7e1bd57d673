"""How fast the environment is, measured against its frozen host alone.

In one process, on one host, corpus and thread count, contestants take turns. What is reported is
the median of their rounds with the lowest and the highest; ratios are taken within each round.

bare: the frozen host encodes and writes greedily, every lane always live, and nothing else. That
is the limit. env: steps under random gates with observations, chrF of finished sentences, reads,
restarts and encoding, through the interface of Stable-Baselines3; vector_env: through that of
Gymnasium. fidelity: free-running with a second, native forward at every step. dummy: DummyVecEnv
over single environments. ppo: a whole learn() with default settings, and where its time goes.
generate: plain and steered model.generate(), greedy and with 4 beams. At last come bytes per stored
transition and peak memory.

With --kind classification, bare is the very forwards that the environment asks its host for, of
what its random gates left open, once more and nothing else; whole is forwards of whole texts, those
of like length together.

Under a minute: --quick. With plots, in about half an hour: --out runs/throughput.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rlattn.agents.allocator import keep_freed_memory
from rlattn.console.cli import run_program
from rlattn.console.terminal import Terminal
from rlattn.experiments.outputs import CONFIG, RESULTS, claim_output, write_json
from rlattn.experiments.provenance import made_with
from rlattn.experiments.throughput.benchmark import Report, benchmark
from rlattn.experiments.throughput.label_benchmark import label_benchmark
from rlattn.experiments.throughput.plots import draw_shares, draw_sweep
from rlattn.experiments.throughput.settings import Config, check, plan
from rlattn.experiments.throughput.sweep import FEW_LANES, MAIN_LANES, Point, failures, sweep
from rlattn.experiments.throughput.table import print_results
from rlattn.experiments.throughput.texts import TextWorkload, prepare_texts
from rlattn.experiments.throughput.workload import Workload, prepare

_PICTURES = {"source_length": "lengths.png", "lanes": "lanes.png", "size": "sizes.png"}
_AXES = {
    "source_length": f"source tokens ({FEW_LANES} lanes)",
    "lanes": "lanes",
    "size": f"host ({MAIN_LANES} lanes)",
}

_Measure = Callable[[Report], dict[str, Any]]


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
    keep_freed_memory()  # Learning does so, and what is compared shall be treated alike.
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    )
    with ExitStack() as held, tempfile.TemporaryDirectory() as folder, bar:
        labels = config.kind == "classification"
        workload, measure = (_of_texts if labels else _of_sentences)(config, Path(folder))
        out = None if config.out is None else held.enter_context(claim_output(config.out))
        if out is not None:
            made = made_with(workload.corpus, workload.identity)
            write_json(out / CONFIG, {"experiment": "throughput", **asdict(config), **made})
        task = bar.add_task("measuring", total=None)

        def show(name: str, done: int, total: int) -> None:
            bar.update(task, description=f"measured {name}", completed=done, total=total)

        results = measure(show)
        if out is not None and not config.quick:

            def show_point(point: Point, done: int, total: int) -> None:
                show(f"{point.axis} {point.place}", done, total)

            bar.reset(task, description="measuring against lanes, length and size", total=None)
            results["sweeps"] = sweep(config, show_point)
        if out is not None:
            _write(out, results)
    for failure in failures(results.get("sweeps", {})):
        errors.print(f"failed: {failure}", markup=False, highlight=False, soft_wrap=True)
    if config.json:
        console.file.write(json.dumps(results, allow_nan=False) + "\n")
    else:
        print_results(console, results)
    return results


def _of_sentences(config: Config, folder: Path) -> tuple[Workload, _Measure]:
    workload = prepare(config, folder)
    return workload, partial(benchmark, workload, plan(config))


def _of_texts(config: Config, folder: Path) -> tuple[TextWorkload, _Measure]:
    workload = prepare_texts(config, folder)
    return workload, partial(label_benchmark, workload, plan(config))


def _write(out: Path, results: dict[str, Any]) -> None:
    write_json(out / RESULTS, results)
    objectives = {"ppo_shares": "quality and reads", "ppo_default_objective_shares": "by default"}
    shares = {title: results[name] for name, title in objectives.items() if name in results}
    draw_shares(out / "shares.png", shares)
    for axis, places in results.get("sweeps", {}).items():
        draw_sweep(out / _PICTURES[axis], _AXES[axis], places)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    program = partial(run, console=Terminal(), errors=Terminal(stderr=True))
    run_program("rlattn.experiments.throughput", __doc__, Config, program)


if __name__ == "__main__":
    main()
