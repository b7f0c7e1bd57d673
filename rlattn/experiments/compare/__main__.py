"""Reinforcement learning against gradients: who steers one frozen host's attention best?

The host is a translator or, where the corpus is labelled text, a classifier. The same policy
network, with the same budget, is trained by reinforcement learning and by gradients through the
host, and compared with rules that learn nothing, with rewards that tell nothing, and with what
attention alone could reach. Every run is a process of its own; the test sentences are read once,
when all training is over.

To try it in a few minutes: --quick.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from rlattn.console.cli import run_program
from rlattn.console.terminal import Terminal
from rlattn.corpora import ParallelCorpus
from rlattn.errors import RlattnError
from rlattn.experiments.compare.asked import asked_for
from rlattn.experiments.compare.comparison import (
    check_folder,
    note_failures,
    open_folder,
    settings_of_comparison,
    tests,
    trainings,
)
from rlattn.experiments.compare.printing import print_tables
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.compare.progress import Bars
from rlattn.experiments.compare.report import write_report
from rlattn.experiments.compare.runs import NATIVE, Run, plan
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import (
    AnyConfig,
    budget,
    check,
    same_comparison,
    targets,
    workers,
)
from rlattn.experiments.compare.tasks import make_tasks
from rlattn.experiments.compare.tuned import read_settings
from rlattn.experiments.compare.tuning import SETTINGS, require_optuna, tune
from rlattn.experiments.compare.workers import work
from rlattn.experiments.outputs import CONFIG, write_json
from rlattn.experiments.provenance import made_with


def run(config: AnyConfig, console: Console) -> dict[str, Any]:
    """Trains, tests and reports; goes on where an earlier start was stopped.

    Args:
        config: What to compare.
        console: Where to report.

    Returns:
        What also stands in ``results.json``.

    Raises:
        InputError: If something given cannot be used; no out folder is made then.
        RlattnError: If even native attention cannot be measured.
    """
    config = check(settings_of_comparison(config))
    out = config.out
    assert out is not None
    check_folder(out)
    if config.tune:
        require_optuna()
    problem_of(config).methods.chosen(config.methods)
    settings = read_settings(config)
    corpus, host = problem_of(config).find(config)
    title = f"{host.name} on {corpus.name}"
    fingerprints = corpus.fingerprint, host.fingerprint
    made = made_with(corpus, host)
    del host
    with open_folder(out, same_comparison(config, *fingerprints, settings)):
        write_json(out / CONFIG, {"experiment": "compare", **asdict(config), **made})
        try:
            return _compare(config, settings, corpus, title, made, console)
        except KeyboardInterrupt:
            _report(console, f"stopped; --resume {out} goes on from here")
            raise


def _compare(
    config: AnyConfig,
    settings: Settings,
    corpus: ParallelCorpus,
    title: str,
    made: Mapping[str, Any],
    console: Console,
) -> dict[str, Any]:
    out, given = config.out, budget(config)
    assert out is not None
    if config.tune:
        return _tune(config, settings, console)
    tasks = make_tasks(config.objectives, targets(config))
    problem = problem_of(config)
    runs = plan(problem.methods.chosen(config.methods), tasks, given.seeds)
    _report(console, f"{title}: {len(runs)} runs; results go to {out}")
    asked = {**asdict(config), "budget": given, "settings_resolved": settings}
    _train([NATIVE], config, settings, console)
    _check_native(out, NATIVE.result(out))
    _train(runs, config, settings, console)
    left = [each for each in runs if each.result(out) and not each.test(out)]
    jobs = tests(left, config, out, settings)
    with Bars(console, "test", len(left), None, note_failures(out)) as bars:
        work(jobs, workers(config), bars)
    _check_native(out, NATIVE.test(out))
    references = [pair.target for pair in corpus.test[: given.test_sentences]]
    with console.status("resampling"):
        about = {"asked": asked, **made}
        results = write_report(out, runs, tasks, references, problem, title, about)
    print_tables(console, results["summary"], tasks, results["pairs"], problem.judge.name)
    _report(console, f"the whole tables are in {out / 'table.md'}, with pictures beside them")
    return results


def _tune(config: AnyConfig, settings: Settings, console: Console) -> dict[str, Any]:
    """Looks for settings on one task for each objective."""
    assert config.out is not None
    reads = targets(config)
    tasks = make_tasks(config.objectives, reads[len(reads) // 2 :][:1])
    _train([NATIVE], config, settings, console)
    _check_native(config.out, NATIVE.result(config.out))
    found = tune(config, tasks, console)
    _report(console, f"the best settings are in {config.out / SETTINGS}: give it to --settings")
    return found


def _check_native(out: Path, left: object) -> None:
    if left is None:
        raise RlattnError(f"native attention cannot be measured: {NATIVE.failure(out)}")


def _train(runs: list[Run], config: AnyConfig, settings: Settings, console: Console) -> None:
    out = config.out
    assert out is not None
    left = [each for each in runs if each.result(out) is None]
    jobs = trainings(left, config, out, settings)
    with Bars(console, "training", len(left), budget(config).steps, note_failures(out)) as bars:
        work(jobs, workers(config), bars)


def _report(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    console = Terminal()
    try:
        config = asked_for(sys.argv[1:])
        run_program("rlattn.experiments.compare", __doc__, config, partial(run, console=console))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
