"""Which differences between methods chance alone would hardly show, and the means over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.significance import PairedTest, Result

from rlattn.experiments.compare.rows import Outputs, Row
from rlattn.experiments.compare.runs import NATIVE
from rlattn.experiments.compare.summary import METRICS, median_seed, texts_of
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.resampling import Estimate
from rlattn.experiments.statistics import Bootstrap, interquartile_mean

BASELINES = ("native", "topk", "gradient", "ppo")
"""What others are compared with."""


@dataclass(frozen=True)
class Pair:
    """One method against another on the same test sentences, each with its median seed.

    Attributes:
        task: The task's name.
        method: The method under test.
        baseline: What it is compared with.
        difference: Its quality above the baseline's.
        p_value: Of that difference.
    """

    task: str
    method: str
    baseline: str
    difference: float
    p_value: float


@dataclass(frozen=True)
class TranslationPair(Pair):
    """One method against another, by `Bootstrap.p_value` of the BLEU.

    Attributes:
        sacrebleu: p by ``sacrebleu --paired-bs``, against native attention of each metric, else of
            BLEU; 1 where both wrote the same, which that test does not notice.
    """

    sacrebleu: dict[str, float]


@dataclass(frozen=True)
class Middle:
    """A method on all tasks of one objective.

    Attributes:
        method: Its name.
        objective: The objective.
        tasks: How many tasks.
        runs: How many runs.
        of_native: The interquartile mean of the quality over that of native attention.
    """

    method: str
    objective: str
    tasks: int
    runs: int
    of_native: Estimate


def pairs(
    outputs: Sequence[Outputs], task: Task, references: Sequence[str]
) -> list[TranslationPair]:
    """Tests all methods on a task against `BASELINES`; what wrote few sentences is left out.

    Args:
        outputs: What was written; methods that are the same whatever is asked take part.
        task: The task.
        references: Of the test sentences.
    """
    texts = {
        each.method.name: texts_of(each)[median_seed(each, references)]
        for each in outputs
        if each.tests and each.task in (task, None) and not each.method.few_sentences
    }
    bootstrap = Bootstrap(references)
    scores = {name: bootstrap.bleu(text).value for name, text in texts.items()}
    found = []
    for baseline in BASELINES:
        if baseline not in texts:
            continue
        others = [name for name in texts if name != baseline]
        if not others:
            continue
        # All metrics against native attention; among the others BLEU is enough, and far quicker.
        tried = list(METRICS) if baseline == NATIVE.method else ["bleu"]
        metrics = {name: METRICS[name]() for name in tried}
        systems: list[tuple[str, Sequence[str]]] = [(n, texts[n]) for n in (baseline, *others)]
        _, tested = PairedTest(systems, metrics, [references], test_type="bs")()
        for place, name in enumerate(others, start=1):
            same = texts[name] == texts[baseline]
            columns = zip(tried, list(tested.values())[1:], strict=True)
            p_values = {metric: 1.0 if same else _p(column[place]) for metric, column in columns}
            p_value = bootstrap.p_value(texts[name], texts[baseline])
            difference = scores[name] - scores[baseline]
            found.append(TranslationPair(task.name, name, baseline, difference, p_value, p_values))
    return found


def _p(result: object) -> float:
    assert isinstance(result, Result)
    assert result.p_value is not None
    return float(result.p_value)


def middles(rows: Sequence[Row], tasks: Sequence[Task]) -> list[Middle]:
    """The interquartile mean of each method over the tasks of each objective.

    A method that is the same whatever is asked counts once; one that is missing on a task is left
    out, for its mean would be over other tasks.

    Args:
        rows: What `summarise` gives.
        tasks: The tasks of the comparison.
    """
    found = []
    for objective in dict.fromkeys(task.objective for task in tasks):
        names = [task.name for task in tasks if task.objective == objective]
        for method in dict.fromkeys(row.method for row in rows):
            own = [row for row in rows if row.method == method]
            alike = own[0].task is None
            scores = [row.of_native for row in own if alike or row.task in names]
            if alike or len(scores) == len(names):
                runs = sum(map(len, scores))
                middle = interquartile_mean(scores)
                found.append(Middle(method, objective, len(scores), runs, middle))
    return found
