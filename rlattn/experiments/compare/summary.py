"""What a comparison found: a row for each run, and one for each method on each task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from rlattn.experiments.compare.methods import METHODS, Method
from rlattn.experiments.compare.runs import NATIVE, Run
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.resampling import Estimate
from rlattn.experiments.statistics import Bootstrap

METRICS: dict[str, type[Metric]] = {"bleu": BLEU, "chrf": CHRF, "ter": TER}


@dataclass(frozen=True)
class Outputs:
    """What a method wrote on a task, with each seed that was finished.

    Attributes:
        method: The method.
        task: None where it is the same whatever is asked.
        seeds: The seed of each run, or None for a method without chance.
        results: What each training left.
        tests: What each wrote for the test sentences.
        failures: Why others crashed.
    """

    method: Method
    task: Task | None
    seeds: Sequence[int | None]
    results: Sequence[Mapping[str, Any]]
    tests: Sequence[Mapping[str, Any]]
    failures: Sequence[str]

    @property
    def texts(self) -> list[list[str]]:
        """What was written, a corpus for each seed."""
        return [test["texts"] for test in self.tests]


@dataclass(frozen=True)
class Row:
    """A method on a task, over its seeds.

    Attributes:
        method: Its name.
        kind: Its kind.
        task: The task's name; None where the method is the same whatever is asked.
        seeds: How many runs were finished.
        failures: Why others crashed.
        sentences: How many test sentences were translated; fewer than all for what takes long.
        bleu: Corpus BLEU, 0 to 100; mean over seeds.
        chrf: Likewise.
        ter: Likewise, less is better.
        reads: Open over valid positions, 0 to 1.
        of_native: BLEU over that of native attention on the same sentences, for each seed.
        valid_bleu: BLEU of what was kept on validation sentences; mean over seeds.
        env_steps: Of a training, mean over seeds, and what follows likewise.
        seconds: Of a training, without validation.
        encoded: Sources that the host's encoder read.
        forwards: Target tokens that its decoder was fed.
        backwards: How many of these a gradient went back through.
        peak_mb: The most memory that a training's process held, in 10^6 bytes.
        needs_native: Whether each step of a translation needs a full native pass first.
    """

    method: str
    kind: str
    task: str | None
    seeds: int
    failures: Sequence[str]
    sentences: int
    bleu: Estimate
    chrf: Estimate
    ter: Estimate
    reads: Estimate
    of_native: Sequence[float]
    valid_bleu: float
    env_steps: float
    seconds: float
    encoded: float
    forwards: float
    backwards: float
    peak_mb: float
    needs_native: bool


def gather(runs: Sequence[Run], out: Path) -> list[Outputs]:
    """Reads what runs left, those of a method on a task together, in the order of methods."""
    groups: dict[tuple[str, Task | None], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.method, run.task), []).append(run)
    order = list(METHODS)
    found = []
    for (name, task), members in sorted(groups.items(), key=lambda item: order.index(item[0][0])):
        done = [(run, run.result(out), run.test(out)) for run in members]
        whole = [(run, result, test) for run, result, test in done if result and test]
        failures = [
            f"{run.name}: {why}" for run in members if (why := run.failure(out)) is not None
        ]
        found.append(
            Outputs(
                METHODS[name],
                task,
                [run.seed for run, _, _ in whole],
                [result for _, result, _ in whole],
                [test for _, _, test in whole],
                failures,
            )
        )
    return found


def native_of(outputs: Sequence[Outputs]) -> list[str]:
    """What native attention wrote."""
    return next(each.texts[0] for each in outputs if each.method.name == NATIVE.method)


def summarise(outputs: Sequence[Outputs], references: Sequence[str]) -> list[Row]:
    """A row for each method on each task with at least one finished run.

    Intervals are those of `Bootstrap.over_seeds`: seeds and sentences are resampled.

    Args:
        outputs: What was written.
        references: Of the test sentences; what takes long has the first few of them.
    """
    native = native_of(outputs)
    bootstraps: dict[int, Bootstrap] = {}
    rows = []
    for each in outputs:
        if not each.tests:
            continue
        size = len(each.texts[0])
        bootstrap = bootstraps.setdefault(size, Bootstrap(references[:size]))
        whole = bootstrap.bleu(native[:size]).value
        alone = [BLEU().corpus_score(text, [references[:size]]).score for text in each.texts]
        spent = {
            name: mean(result["spent"][name] for result in each.results)
            for name in ("seconds", "encoded", "forwards", "backwards")
        }
        rows.append(
            Row(
                method=each.method.name,
                kind=each.method.kind,
                task=None if each.task is None else each.task.name,
                seeds=len(each.tests),
                failures=each.failures,
                sentences=size,
                bleu=bootstrap.over_seeds(BLEU(), each.texts),
                chrf=bootstrap.over_seeds(CHRF(), each.texts),
                ter=bootstrap.over_seeds(TER(), each.texts),
                reads=bootstrap.mean_over_seeds([test["reads_fraction"] for test in each.tests]),
                # A host that gets nothing right has no quality to be relative to.
                of_native=[bleu / whole if whole else 0.0 for bleu in alone],
                valid_bleu=mean(result["valid"]["bleu"] for result in each.results),
                env_steps=mean(result["env_steps"] for result in each.results),
                **spent,
                peak_mb=max(result["memory"]["peak_mb"] for result in each.results),
                needs_native=each.method.needs_native,
            )
        )
    return rows


def median_seed(each: Outputs, references: Sequence[str]) -> int:
    """Which of a method's runs has the median BLEU; of an even number, the lower of the two."""
    scores = [BLEU().corpus_score(text, [references[: len(text)]]).score for text in each.texts]
    return int(np.argsort(scores, kind="stable")[(len(scores) - 1) // 2])


def signatures() -> dict[str, str]:
    """What makes the scores reproducible, sacreBLEU's signature of each."""
    found = {}
    for name, make in METRICS.items():
        metric = make()
        metric.corpus_score(["a"], [["a"]])  # only then is known how many references there are
        found[name] = str(metric.get_signature())
    return found
