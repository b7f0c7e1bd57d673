"""The experiments that can be run once more, and how a run of each is read from its folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from rlattn.console.cli import find_policy
from rlattn.console.terminal import Terminal
from rlattn.corpora import load_corpus
from rlattn.errors import InputError, closest
from rlattn.experiments import classification, ppo_classify, ppo_translate, translation
from rlattn.experiments.budget import __main__ as budget
from rlattn.experiments.budget import settings as budget_settings
from rlattn.experiments.compare import __main__ as compare
from rlattn.experiments.compare import settings as compare_settings
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.outputs import CONFIG, RESULTS
from rlattn.experiments.provenance import Identified
from rlattn.experiments.throughput import __main__ as throughput
from rlattn.experiments.throughput import settings as throughput_settings
from rlattn.storage.fields import read
from rlattn.storage.jsonfiles import read_object

_LARGE = 2**26  # bytes that results may have

Material = tuple[Identified, Identified]


@dataclass(frozen=True)
class Program:
    """An experiment.

    Attributes:
        config: Its settings.
        run: Runs it.
        find: Finds corpus and host; None where there are none before it runs.
        timed: Whether it measures time.
        label_config: Its settings for classifiers, where those are others.
    """

    config: Any
    run: Callable[[Any, Console], object]
    find: Callable[[Any], Material | None]
    timed: bool = False
    label_config: Any = None

    def settings(self, about: Mapping[str, Any]) -> Any:
        """The settings that a run was asked for by, from what its ``config.json`` says."""
        labels = self.label_config is not None and about.get("kind") == "classification"
        return self.label_config if labels else self.config


def _for_budget(config: budget_settings.Config) -> Material | None:
    if config.policy is None:
        return None
    return load_corpus(config.corpus), find_policy(config.policy, config.host)[1]


def _measured(
    run: Callable[[Any, Console, Console], object],
) -> Callable[[Any, Console], object]:
    return lambda config, console: run(config, console, Terminal(stderr=True))


PROGRAMS = {
    "budget": Program(budget_settings.Config, _measured(budget.run), _for_budget, timed=True),
    "compare": Program(
        compare_settings.Config,
        compare.run,
        lambda config: problem_of(config).find(config),
        timed=True,
        label_config=compare_settings.LabelConfig,
    ),
    "ppo_classify": Program(classification.Config, ppo_classify.run, classification.find_material),
    "ppo_translate": Program(translation.Config, ppo_translate.run, translation.find_material),
    "throughput": Program(
        throughput_settings.Config, _measured(throughput.run), lambda config: None, timed=True
    ),
}
"""By what ``config.json`` calls them."""


class Run(NamedTuple):
    """A run that is over.

    Attributes:
        name: Which experiment.
        config: What it was asked for.
        about: All that its ``config.json`` says.
        results: All that its ``results.json`` says.
    """

    name: str
    config: Any
    about: dict[str, Any]
    results: dict[str, Any]

    @property
    def program(self) -> Program:
        """The experiment."""
        return PROGRAMS[self.name]

    def into(self, out: Path) -> Run:
        """The same, asked to go into another folder."""
        return self._replace(config=replace(self.config, out=out))

    def belongs(self, name: str) -> bool:
        """Whether a file of the folder, by its path there, is of the last start of the run."""
        parts = Path(name).parts
        if self.name != "compare" or parts[0] != "runs":
            return True
        return parts[1] in {row["run"] for row in self.results["runs"]}


def read_run(folder: Path) -> Run:
    """Reads what a run was asked for, and what came out.

    Args:
        folder: Its out folder.

    Raises:
        InputError: If that is none, or the run is not over.
    """
    about = _read(folder, CONFIG, "it is not the out folder of an experiment")
    results = _read(folder, RESULTS, "the run is not over: what it led to cannot be compared yet")
    name = about.get("experiment")
    if name not in PROGRAMS:
        raise InputError(
            f"{folder / CONFIG}: experiment: found {name!r}: {closest(str(name), PROGRAMS)}"
        )
    kind = PROGRAMS[name].settings(about)
    asked = {field.name: about[field.name] for field in fields(kind) if field.name in about}
    return Run(name, read(kind, asked, str(folder / CONFIG)), about, results)


def _read(folder: Path, name: str, otherwise: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise InputError(f"{folder}: there is no {name}: {otherwise}")
    return read_object(path, _LARGE)
