"""How labels are scored in a comparison, and what its tables hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.rows import Outputs, Row, middle, native_of, told
from rlattn.experiments.compare.significance import Pair
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.label_scores import LabelBootstrap
from rlattn.experiments.resampling import Estimate
from rlattn.inference import Readings

BASELINES = ("native", "topk", "random", "gradient", "weights", "ppo")
"""What others are compared with."""


@dataclass(frozen=True, kw_only=True)
class LabelRow(Row):
    """A method on a task, over its seeds.

    Attributes:
        accuracy: Texts that are labelled rightly, 0 to 100; mean over seeds.
        difference: Its accuracy above that of native attention, in points.
        macro_f1: Mean of the labels' F1, 0 to 100.
        log_likelihood: Of the right labels, mean over texts, in nats.
        sufficiency: Mean drop in probability with what was read alone; None where reads have no
            target.
        attention_sufficiency: With as many tokens that native attention puts first.
    """

    accuracy: Estimate
    difference: float
    macro_f1: Estimate
    log_likelihood: Estimate
    sufficiency: Estimate | None
    attention_sufficiency: Estimate | None

    @property
    def quality(self) -> Estimate:
        """The accuracy."""
        return self.accuracy


@dataclass(frozen=True)
class LabelPair(Pair):
    """One method against another, by McNemar's exact test.

    Attributes:
        gained: How many texts the method labels rightly and the baseline wrongly.
        lost: How many the other way round.
    """

    gained: int
    lost: int


class LabelJudge(Judge[LabelRow, LabelPair]):
    """Judges labels by accuracy, with other scores and the sufficiency of what was read."""

    quality = "accuracy"
    name = "accuracy"
    unit = "points of accuracy"
    headings = ("± native", "macro F1", "log-lik.", "sufficiency", "attention’s")
    pair_headings = ("gained", "lost")
    notes = """\
Means over seeds, on {sentences} test texts that were read once, after all training. Intervals come
from a bootstrap that resamples the seeds and the texts. p: McNemar's exact test against native
attention, two-sided, the run with the median accuracy standing for its method; *gained* and *lost*
are the texts that one labels rightly and the other wrongly. *± native* is in points of accuracy.
*Sufficiency* is the mean drop in the probability of the host's own label when all that was not read
is deleted, less is better, and *attention’s* that of as many tokens that native attention puts
first. An environment step is one allocation. *Forwards* are texts that the frozen host labelled in
training, *backwards* those that a gradient went back through; with *seconds* they leave validation
out. *Peak MB* is the most memory that a training's process held, host and validation included. A
method with a star needs a full native pass first. A bound (†) knows which part of a noisy text is
asked for. Where reads have a target, the threshold of a policy's gates is set at each validation,
so that it reads what it may there and all compare at equal reads; rankings open as many tokens as
make up the target. What is marked with ‡ reads more than was asked for on the test set.
Interquartile means are those of the accuracy as a share of the native accuracy, their intervals
from a bootstrap that resamples the seeds of each task by themselves."""

    def summarise(self, outputs: Sequence[Outputs], references: Sequence[str]) -> list[LabelRow]:
        """A row for each method on each task with at least one finished run.

        Intervals are those of `LabelBootstrap`: seeds and texts are resampled.

        Args:
            outputs: What texts were labelled with.
            references: Their right labels.
        """
        bootstrap = _bootstrap(outputs, references)
        native = bootstrap.accuracy(*_readings(native_of(outputs))).value
        rows = []
        for each in outputs:
            if not each.tests:
                continue
            read = _readings(each)
            accuracy = bootstrap.accuracy(*read)
            alone = [bootstrap.accuracy(one).value for one in read]
            rows.append(
                LabelRow(
                    **told(each, self.quality),
                    sentences=len(references),
                    accuracy=accuracy,
                    difference=accuracy.value - native,
                    macro_f1=bootstrap.macro_f1(*read),
                    log_likelihood=bootstrap.log_likelihood(*read),
                    sufficiency=_sufficiency(each, bootstrap, "own"),
                    attention_sufficiency=_sufficiency(each, bootstrap, "attention"),
                    reads=bootstrap.mean_over_seeds([one.reads_fraction for one in read]),
                    # A host that gets nothing right has no quality to be relative to.
                    of_native=[one / native if native else 0.0 for one in alone],
                )
            )
        return rows

    def pairs(
        self, outputs: Sequence[Outputs], task: Task, references: Sequence[str]
    ) -> list[LabelPair]:
        """Tests all methods on a task against `BASELINES`, each with its median seed.

        Args:
            outputs: What texts were labelled with; methods that are the same whatever is asked take
                part.
            task: The task.
            references: The right labels.
        """
        bootstrap = _bootstrap(outputs, references)
        read = {
            each.method.name: _readings(each)[self.median_seed(each, references)]
            for each in outputs
            if each.tests and each.task in (task, None)
        }
        scores = {name: bootstrap.accuracy(one).value for name, one in read.items()}
        found = []
        for baseline in BASELINES:
            for name in read if baseline in read else ():
                if name != baseline:
                    test = bootstrap.mcnemar(read[name], read[baseline])
                    difference = scores[name] - scores[baseline]
                    told = (test.p_value, test.gained, test.lost)
                    found.append(LabelPair(task.name, name, baseline, difference, *told))
        return found

    def tested(self, test: Mapping[str, Any], references: Sequence[str]) -> dict[str, Any]:
        """Scores of one run."""
        bootstrap = LabelBootstrap(references, test["names"])
        read = _reading(test)
        return {
            "sentences": len(read.labels),
            "accuracy": bootstrap.accuracy(read).value,
            "macro_f1": bootstrap.macro_f1(read).value,
            "log_likelihood": bootstrap.log_likelihood(read).value,
            "reads_fraction": float(np.mean(read.reads_fraction)),
            "sufficiency": {
                name: float(np.mean(drops)) for name, drops in test["sufficiency"].items()
            },
            "truncated": read.truncated,
            "seconds": test["seconds"],
        }

    def median_seed(self, each: Outputs, references: Sequence[str]) -> int:
        """Which of a method's runs has the median accuracy."""
        right = [np.mean(np.equal(test["labels"], list(references))) for test in each.tests]
        return middle([float(share) for share in right])

    def signatures(self) -> dict[str, str]:
        """None: these scores have one definition."""
        return {}

    def cells(self, row: LabelRow) -> list[str]:
        """The difference to native attention, and the other scores."""
        drops = (row.sufficiency, row.attention_sufficiency)
        return [
            f"{row.difference:+.1f}",
            f"{row.macro_f1.value:.1f}",
            f"{row.log_likelihood.value:.3f}",
            *("" if drop is None else f"{drop.value:.3f}" for drop in drops),
        ]

    def pair_cells(self, pair: LabelPair) -> list[str]:
        """How many texts tell them apart."""
        return [str(pair.gained), str(pair.lost)]


def _bootstrap(outputs: Sequence[Outputs], references: Sequence[str]) -> LabelBootstrap:
    return LabelBootstrap(references, native_of(outputs).tests[0]["names"])


def _readings(each: Outputs) -> list[Readings]:
    """What texts were labelled with, for each seed."""
    return [_reading(test) for test in each.tests]


def _reading(test: Mapping[str, Any]) -> Readings:
    return Readings(
        names=tuple(test["names"]),
        labels=test["labels"],
        probabilities=np.asarray(test["probabilities"], np.float32),
        tokens=[],
        opened=test["opened"],
        reads_fraction=test["reads_fraction"],
        truncated=test["truncated"],
    )


def _sufficiency(each: Outputs, bootstrap: LabelBootstrap, whose: str) -> Estimate | None:
    drops = [test["sufficiency"].get(whose) for test in each.tests]
    return None if any(drop is None for drop in drops) else bootstrap.mean_over_seeds(drops)
