"""What a comparison on a translator found: the scores of each method on each task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from rlattn.experiments.compare.rows import Outputs, Row, middle, native_of, told
from rlattn.experiments.resampling import Estimate
from rlattn.experiments.statistics import Bootstrap

METRICS: dict[str, type[Metric]] = {"bleu": BLEU, "chrf": CHRF, "ter": TER}


@dataclass(frozen=True, kw_only=True)
class TranslationRow(Row):
    """A method on a task, over its seeds.

    Attributes:
        bleu: Corpus BLEU, 0 to 100; mean over seeds.
        chrf: Likewise.
        ter: Likewise, less is better.
    """

    bleu: Estimate
    chrf: Estimate
    ter: Estimate

    @property
    def quality(self) -> Estimate:
        """The BLEU."""
        return self.bleu


def texts_of(each: Outputs) -> list[list[str]]:
    """What was written, a corpus for each seed."""
    return [test["texts"] for test in each.tests]


def summarise(outputs: Sequence[Outputs], references: Sequence[str]) -> list[TranslationRow]:
    """A row for each method on each task with at least one finished run.

    Intervals are those of `Bootstrap.over_seeds`: seeds and sentences are resampled.

    Args:
        outputs: What was written.
        references: Of the test sentences; what takes long has the first few of them.
    """
    native = texts_of(native_of(outputs))[0]
    bootstraps: dict[int, Bootstrap] = {}
    rows = []
    for each in outputs:
        if not each.tests:
            continue
        texts = texts_of(each)
        size = len(texts[0])
        bootstrap = bootstraps.setdefault(size, Bootstrap(references[:size]))
        whole = bootstrap.bleu(native[:size]).value
        alone = [BLEU().corpus_score(text, [references[:size]]).score for text in texts]
        rows.append(
            TranslationRow(
                **told(each, "bleu"),
                sentences=size,
                bleu=bootstrap.over_seeds(BLEU(), texts),
                chrf=bootstrap.over_seeds(CHRF(), texts),
                ter=bootstrap.over_seeds(TER(), texts),
                reads=bootstrap.mean_over_seeds([test["reads_fraction"] for test in each.tests]),
                # A host that gets nothing right has no quality to be relative to.
                of_native=[bleu / whole if whole else 0.0 for bleu in alone],
            )
        )
    return rows


def median_seed(each: Outputs, references: Sequence[str]) -> int:
    """Which of a method's runs has the median BLEU; of an even number, the lower of the two."""
    texts = texts_of(each)
    scores = [BLEU().corpus_score(text, [references[: len(text)]]).score for text in texts]
    return middle(scores)


def signatures() -> dict[str, str]:
    """What makes the scores reproducible, sacreBLEU's signature of each."""
    found = {}
    for name, make in METRICS.items():
        metric = make()
        metric.corpus_score(["a"], [["a"]])  # only then is known how many references there are
        found[name] = str(metric.get_signature())
    return found
