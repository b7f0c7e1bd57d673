"""The search for settings: as many trials for every learner, by Optuna, on validation sentences."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from rlattn.errors import InputError
from rlattn.experiments.compare.comparison import note_failures, trainings
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.compare.progress import Bars
from rlattn.experiments.compare.runs import LARGEST, RESULT, Run
from rlattn.experiments.compare.scene import Settings
from rlattn.experiments.compare.settings import AnyConfig, budget, workers
from rlattn.experiments.compare.spaces import Space
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.compare.workers import Job, work
from rlattn.experiments.outputs import write_json
from rlattn.storage.files import write_file
from rlattn.storage.jsonfiles import read_object

if TYPE_CHECKING:
    from optuna import Study, Trial

SETTINGS = "settings.json"
_JOURNAL = "trials.log"
_CRASHED = "crashed"
"""Marks a trial that crashed; one that failed without it was stopped, and does not count."""


def require_optuna() -> Any:
    """The library.

    Raises:
        InputError: If it is missing.
    """
    try:
        return import_module("optuna")
    except ImportError as error:
        raise InputError(
            "--tune needs the optuna library: pip install 'rlattn[compare]'"
        ) from error


class Search:
    """The settings of one learner for one objective.

    Args:
        learner: Its name.
        task: What it is tried on.
        out: The folder of the comparison; all trials stay in it.
        space: What is tried.
        quality: What points of learning curves call the quality.
    """

    def __init__(self, learner: str, task: Task, out: Path, space: Space, quality: str) -> None:
        optuna = require_optuna()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        backend = import_module("optuna.storages.journal").JournalFileBackend
        storage = optuna.storages.JournalStorage(backend(str(out / _JOURNAL)))
        self.learner, self.task = learner, task
        self._space, self.quality = space, quality
        self._states = optuna.trial.TrialState
        self._asked: dict[str, Trial] = {}
        self.study: Study = optuna.create_study(
            study_name=f"{learner}.{task.objective}",
            storage=storage,
            direction="maximize",
            load_if_exists=True,
        )
        for trial in self.study.get_trials(states=(self._states.RUNNING,)):
            self.study.tell(trial.number, state=self._states.FAIL)
        self.study.enqueue_trial(space.first(task), skip_if_exists=True)
        # Each start goes on with other draws than the one before.
        self.study.sampler = optuna.samplers.TPESampler(seed=len(self.study.trials))

    @property
    def done(self) -> int:
        """How many trials were finished, crashed, or are on their way."""
        over = [
            trial
            for trial in self.study.trials
            if trial.state == self._states.COMPLETE or _CRASHED in trial.user_attrs
        ]
        return len(over) + len(self._asked)

    def ask(self) -> tuple[Run, dict[str, Any]]:
        """The next trial, and the settings to try in it."""
        trial = self.study.ask()
        settings = self._space.tried(self.task, trial)
        run = Run(self.learner, self.task, 0, trial.number)
        self._asked[run.name] = trial
        return run, settings

    def tell(self, name: str, result: dict[str, Any] | None) -> None:
        """Takes in how good a trial's settings were; those that crash are the worst."""
        trial = self._asked.pop(name, None)
        if trial is None:
            return
        if result is None:
            trial.set_user_attr(_CRASHED, True)
            self.study.tell(trial, state=self._states.FAIL)
        else:
            valid = result["valid"]
            quality, reads = valid[self.quality], valid["reads_fraction"]
            trial.set_user_attr(self.quality, quality)
            trial.set_user_attr("reads_fraction", reads)
            self.study.tell(trial, self._score(quality, reads))

    def _score(self, quality: float, reads: float) -> float:
        """How good settings are: a hundredth of the source too much costs a point of quality.

        To meet a target at any price is no virtue here: the run may be longer than the trial.
        """
        target = 1.0 if self.task.reads is None else self.task.reads
        return quality - 100 * max(0.0, reads - target)

    @property
    def best(self) -> dict[str, Any] | None:
        """The settings with the best score; None where no trial was finished."""
        finished = self.study.get_trials(states=(self._states.COMPLETE,))
        return dict(self.study.best_params) if finished else None


def tune(config: AnyConfig, tasks: Sequence[Task], console: Console) -> dict[str, Any]:
    """Looks for settings, and goes on where an earlier start was stopped.

    Args:
        config: What the program was asked for; native attention was measured.
        tasks: One for each objective.
        console: Where to report.

    Returns:
        What also stands in ``settings.json``: by learner and objective.

    Raises:
        InputError: If no learner has settings to look for.
    """
    out = config.out
    assert out is not None
    problem = problem_of(config)
    spaces, quality = problem.spaces, problem.judge.quality
    methods = [each for each in problem.methods.chosen(config.methods) if each.name in spaces]
    if not methods:
        raise InputError(f"--tune: expected among the --methods some of {', '.join(spaces)}")
    searches = [
        Search(method.name, task, out, spaces[method.name], quality)
        for task in tasks
        for method in methods
        if task.objective in method.objectives
    ]
    left = sum(max(0, config.trials - search.done) for search in searches)
    note = note_failures(out)

    def ended(job: Job, failure: str | None) -> None:
        note(job, failure)
        folder = out / "runs" / job.name
        found = read_object(folder / RESULT, LARGEST) if (folder / RESULT).is_file() else None
        for search in searches:
            search.tell(job.name, found)
        _write_trials(out / "trials.csv", searches)

    with Bars(console, "trials", left, budget(config).steps, ended) as bars:
        work(_jobs(searches, config, out), workers(config), bars)
    settings: dict[str, dict[str, Any]] = {}
    for search in searches:
        if (best := search.best) is not None:
            settings.setdefault(search.learner, {})[search.task.objective] = best
    write_json(out / SETTINGS, settings)
    _write_trials(out / "trials.csv", searches)
    return settings


def _jobs(searches: Sequence[Search], config: AnyConfig, out: Path) -> Iterator[Job]:
    """One trial of each search in turn, until all had as many."""
    while any(search.done < config.trials for search in searches):
        for search in searches:
            if search.done < config.trials:
                run, settings = search.ask()
                resolved: Settings = {search.learner: {search.task.objective: settings}}
                yield from trainings([run], config, out, resolved)


def _write_trials(path: Path, searches: Sequence[Search]) -> None:
    quality = searches[0].quality
    headings = ("learner", "objective", "trial", "state", "score", quality, "reads", "settings")
    with io.StringIO() as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(headings)
        for search in searches:
            for trial in search.study.trials:
                crashed = _CRASHED in trial.user_attrs
                writer.writerow(
                    [
                        search.learner,
                        search.task.objective,
                        trial.number,
                        _CRASHED if crashed else trial.state.name.lower(),
                        trial.value,
                        trial.user_attrs.get(quality),
                        trial.user_attrs.get("reads_fraction"),
                        json.dumps(trial.params),
                    ]
                )
        write_file(path, file.getvalue())
