"""What the process of a run does: train and validate; when all have, translate the test set."""

from __future__ import annotations

import random
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from rlattn.cli import import_modules
from rlattn.corpora import ParallelCorpus
from rlattn.experiments.compare.methods import METHODS
from rlattn.experiments.compare.runs import NATIVE, RESULT, TEST, Run
from rlattn.experiments.compare.scene import Scene, Settings
from rlattn.experiments.compare.settings import Config, budget
from rlattn.experiments.outputs import write_json
from rlattn.experiments.provenance import provenance
from rlattn.experiments.throughput.memory import peak_device_mb, peak_rss_mb
from rlattn.experiments.translation import find_material
from rlattn.hosts import Seq2SeqHost

_SHORT, _LONG = 7, 12
"""Source lengths, in tokens, whose attention fits into a strip."""


def train_run(config: Config, run: Run, out: Path, settings: Settings) -> None:
    """Trains and validates; what comes out stands in the run's folder, the result last.

    The test sentences are taken away beforehand.

    Args:
        config: What the program was asked for.
        run: Which run.
        out: The comparison's folder.
        settings: The learners' settings.
    """
    import_modules(config.imports)
    scene, _ = _scene(config, run, out, settings, test=False)
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(scene.seed)
    before = peak_rss_mb()
    outcome = METHODS[run.method].train(scene)
    write_json(
        scene.folder / RESULT,
        {
            "run": run.name,
            "valid": outcome.best,
            "curve": outcome.curve,
            "env_steps": outcome.env_steps,
            "spent": outcome.spent,
            "found": outcome.found,
            "memory": {
                "before_mb": before,
                "peak_mb": peak_rss_mb(),
                "device_peak_mb": peak_device_mb(config.device),
            },
            "provenance": provenance(),
        },
    )


def translate_test(config: Config, run: Run, out: Path, settings: Settings) -> None:
    """Translates the test sentences once, and one of them with alignments.

    Args:
        config: What the program was asked for.
        run: Which run; its training is finished.
        out: The comparison's folder.
        settings: The learners' settings.
    """
    import_modules(config.imports)
    scene, corpus = _scene(config, run, out, settings, test=True)
    method, result = METHODS[run.method], run.result(out)
    assert result is not None
    most = scene.budget.test_sentences
    if method.few_sentences:
        most = min(scene.budget.bound_sentences, most or scene.budget.bound_sentences)
    pairs = corpus.test[:most]
    started = time.monotonic()
    written = method.write(scene, result["found"], pairs, False)
    seconds = time.monotonic() - started
    shown = corpus.test[_example(scene.host, [pair.source for pair in corpus.test[:200]])]
    alignments = method.write(scene, result["found"], [shown], True).alignments
    write_json(
        scene.folder / TEST,
        {
            "texts": written.texts,
            "reads_fraction": written.reads_fraction,
            "truncated": written.truncated,
            "seconds": seconds,
            "example": asdict(alignments[0]) if alignments else None,
        },
    )


def _scene(
    config: Config, run: Run, out: Path, settings: Settings, *, test: bool
) -> tuple[Scene, ParallelCorpus]:
    corpus, host = find_material(config)
    if not test:
        corpus = replace(corpus, test=())
    given = budget(config)
    limit = min(given.max_source, host.max_source or given.max_source)
    native = None if run == NATIVE else NATIVE.result(out)
    scene = Scene(
        host=host,
        train=corpus.train,
        valid=corpus.valid[: given.valid_sentences],
        task=run.task,
        seed=run.seed or 0,
        budget=replace(given, max_source=limit),
        settings=settings,
        native_bleu=0.0 if native is None else native["valid"]["bleu"],
        folder=run.folder(out),
    )
    return scene, corpus


def _example(host: Seq2SeqHost, sources: list[str]) -> int:
    """The first sentence of a length that fits into a picture; failing that, the first."""
    lengths = [len(row) for row in host.tokenize(sources, _LONG + 1).ids]
    return next((i for i, length in enumerate(lengths) if _SHORT <= length <= _LONG), 0)
