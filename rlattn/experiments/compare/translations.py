"""Comparisons on a translator: their test, and their judge."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from rlattn.corpora import Pair as Sentence
from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.method import Method
from rlattn.experiments.compare.rows import Outputs
from rlattn.experiments.compare.scene import Found, Scene
from rlattn.experiments.compare.significance import TranslationPair, pairs
from rlattn.experiments.compare.summary import TranslationRow, median_seed, signatures, summarise
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.statistics import corpus_scores
from rlattn.hosts import Seq2SeqHost

_SHORT, _LONG = 7, 12
"""Source lengths, in tokens, whose attention fits into a strip."""


def translate_test(
    scene: Scene, method: Method, found: Found, sentences: Sequence[Sentence]
) -> dict[str, Any]:
    """Translates the test sentences once, and one of them with alignments.

    Args:
        scene: What to work with.
        method: How.
        found: What its training found.
        sentences: All test sentences.
    """
    most = scene.budget.test_sentences
    if method.few_sentences:
        most = min(scene.budget.bound_sentences, most or scene.budget.bound_sentences)
    started = time.monotonic()
    written = method.write(scene, found, sentences[:most], False)
    seconds = time.monotonic() - started
    shown = sentences[_example(scene.host, [pair.source for pair in sentences[:200]])]
    alignments = method.write(scene, found, [shown], True).alignments
    return {
        "texts": written.texts,
        "reads_fraction": written.reads_fraction,
        "truncated": written.truncated,
        "seconds": seconds,
        "example": asdict(alignments[0]) if alignments else None,
    }


def _example(host: Seq2SeqHost, sources: list[str]) -> int:
    """The first sentence of a length that fits into a picture; failing that, the first."""
    lengths = [len(row) for row in host.tokenize(sources, _LONG + 1).ids]
    return next((i for i, length in enumerate(lengths) if _SHORT <= length <= _LONG), 0)


class TranslationJudge(Judge[TranslationRow, TranslationPair]):
    """Judges translations by BLEU, with sacreBLEU's other metrics beside it."""

    quality = "bleu"
    name = unit = "BLEU"
    headings = ("chrF", "TER")
    pair_headings = ("sacreBLEU’s p",)
    notes = """\
Means over seeds, on {sentences} test sentences that were read once, after all training. Intervals
come from a bootstrap that resamples the seeds and the sentences. p: paired bootstrap of the BLEU
against native attention, two-sided, the run with the median BLEU standing for its method.
*Forwards* are target tokens that the frozen host's decoder was fed in training, *backwards* those
that a gradient went back through; with *seconds* they leave validation out. *Peak MB* is the most
memory that a training's process held, host and validation included. A method with a star needs a
full native pass before each step, also when it translates. A bound (†) knows what no policy can:
the oracle the references, on the first few sentences only, and is compared with native attention on
these; others which part of a noisy source is asked for. Where reads have a target, the threshold of
a policy's gates is set at each validation, so that it reads what it may there and all compare at
equal reads. What is marked with ‡ reads more than was asked for on the test set. Interquartile
means are those of the BLEU as a share of the native BLEU, their intervals from a bootstrap that
resamples the seeds of each task by themselves."""

    def summarise(
        self, outputs: Sequence[Outputs], references: Sequence[str]
    ) -> list[TranslationRow]:
        """A row for each method on each task, see `summarise`."""
        return summarise(outputs, references)

    def pairs(
        self, outputs: Sequence[Outputs], task: Task, references: Sequence[str]
    ) -> list[TranslationPair]:
        """Tests methods against each other, see `pairs`."""
        return pairs(outputs, task, references)

    def tested(self, test: Mapping[str, Any], references: Sequence[str]) -> dict[str, Any]:
        """Scores of one run."""
        texts = test["texts"]
        scores = corpus_scores(texts, references[: len(texts)])
        return {
            "sentences": len(texts),
            "bleu": scores.bleu,
            "chrf": scores.chrf,
            "reads_fraction": float(np.mean(test["reads_fraction"])),
            "truncated": test["truncated"],
            "seconds": test["seconds"],
        }

    def median_seed(self, each: Outputs, references: Sequence[str]) -> int:
        """Which of a method's runs has the median BLEU."""
        return median_seed(each, references)

    def signatures(self) -> dict[str, str]:
        """SacreBLEU's signature of each metric."""
        return signatures()

    def cells(self, row: TranslationRow) -> list[str]:
        """ChrF and TER."""
        return [f"{row.chrf.value:.1f}", f"{row.ter.value:.1f}"]

    def pair_cells(self, pair: TranslationPair) -> list[str]:
        """P by sacreBLEU."""
        return [f"{p_value:.3f}" for p_value in pair.sacrebleu.values()]
