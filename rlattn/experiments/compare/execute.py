"""What the process of a run does: train and validate; when all have, read the test set."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rlattn.console.cli import import_modules
from rlattn.corpora import ParallelCorpus
from rlattn.experiments.compare.problems import problem_of
from rlattn.experiments.compare.runs import NATIVE, RESULT, TEST, Run
from rlattn.experiments.compare.scene import Scene, Settings
from rlattn.experiments.compare.settings import AnyConfig, budget
from rlattn.experiments.outputs import write_json
from rlattn.experiments.provenance import provenance
from rlattn.experiments.throughput.memory import peak_device_mb, peak_rss_mb


def train_run(config: AnyConfig, run: Run, out: Path, settings: Settings) -> None:
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
    outcome = problem_of(config).methods[run.method].train(scene)
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


def test_run(config: AnyConfig, run: Run, out: Path, settings: Settings) -> None:
    """Has the test sentences translated, or labelled, once.

    Args:
        config: What the program was asked for.
        run: Which run; its training is finished.
        out: The comparison's folder.
        settings: The learners' settings.
    """
    import_modules(config.imports)
    scene, corpus = _scene(config, run, out, settings, test=True)
    problem, result = problem_of(config), run.result(out)
    assert result is not None
    method = problem.methods[run.method]
    write_json(scene.folder / TEST, problem.test(scene, method, result["found"], corpus.test))


def _scene(
    config: AnyConfig, run: Run, out: Path, settings: Settings, *, test: bool
) -> tuple[Scene[Any], ParallelCorpus]:
    problem = problem_of(config)
    corpus, host = problem.find(config)
    if not test:
        corpus = replace(corpus, test=())
    given = budget(config)
    limit = min(given.max_source, host.max_source or given.max_source)
    native = None if run == NATIVE else NATIVE.result(out)
    scene = Scene[Any](
        host=host,
        train=corpus.train,
        valid=corpus.valid[: given.valid_sentences],
        task=run.task,
        seed=run.seed or 0,
        budget=replace(given, max_source=limit),
        settings=settings,
        native=0.0 if native is None else native["valid"][problem.judge.quality],
        folder=run.folder(out),
    )
    return scene, corpus
