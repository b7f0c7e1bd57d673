"""What runs leave, made up: so many words of each test sentence come out wrong."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from rlattn.experiments.compare.runs import FAILURE, RESULT, TEST, Run
from rlattn.experiments.compare.tasks import Task
from rlattn.experiments.outputs import write_json

WORDS = ["the", "a", "old", "young", "cat", "dog", "house", "sees", "hears", "under", "and", "near"]
TASKS = [Task("quality"), Task("budget", 0.5), Task("budget", 0.2)]
SENTENCES = 30


def references(count: int = SENTENCES) -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS, k=rng.randint(5, 14))) for _ in range(count)]


def written(wrong: float, seed: int, count: int = SENTENCES) -> list[str]:
    rng = random.Random(seed)
    return [
        " ".join("wrong" if rng.random() < wrong else word for word in sentence.split())
        for sentence in references(count)
    ]


def spent(steps: int) -> dict[str, float]:
    return {"seconds": steps / 50, "encoded": steps // 9, "forwards": 3 * steps, "backwards": steps}


def leave(run: Run, out: Path, texts: list[str], reads: float = 1.0, steps: int = 0) -> Run:
    """Leaves what a finished run leaves."""
    folder = run.folder(out)
    folder.mkdir(parents=True)
    curve = [
        {
            "env_steps": at,
            "bleu": 60 + 20 * at / steps,
            "chrf": 70.0,
            "reads_fraction": 1 - (1 - reads) * at / steps,
            "score": 0.0,
            "spent": spent(at),
        }
        for at in range(0, steps + 1, max(1, steps // 4))
        if steps
    ]
    valid = {"bleu": 80.0, "chrf": 70.0, "reads_fraction": reads, "score": 1.0}
    result: dict[str, Any] = {
        "run": run.name,
        "valid": valid,
        "curve": curve,
        "env_steps": steps,
        "spent": spent(steps),
        "found": {},
        "memory": {"before_mb": 300.0, "peak_mb": 400.0 + steps, "device_peak_mb": None},
    }
    write_json(folder / RESULT, result)
    rng = np.random.default_rng(len(run.name))
    attention = rng.dirichlet(np.full(8, 0.3), 7)
    example = {
        "source": [f"▁word{i}" for i in range(8)],
        "target": [f"▁other{i}" for i in range(7)],
        "attention": attention,
        "opened": attention >= np.quantile(attention, 1 - reads, axis=1, keepdims=True),
    }
    test = {
        "texts": texts,
        "reads_fraction": [reads] * len(texts),
        "truncated": 0,
        "seconds": 1.0,
        "example": example,
    }
    write_json(folder / TEST, test)
    return run


def crash(run: Run, out: Path, why: str) -> Run:
    run.folder(out).mkdir(parents=True)
    write_json(run.folder(out) / FAILURE, {"failure": why})
    return run


def comparison(out: Path) -> list[Run]:
    """Some methods on all tasks, with three seeds where they learn; one run crashed."""
    rules = {"native": 0.1, "uniform": 0.9, "argmax": 0.3}
    reads = {"argmax": 0.08}
    runs = [
        leave(Run(name), out, written(wrong, 1), reads.get(name, 1.0))
        for name, wrong in rules.items()
    ]
    runs.append(leave(Run("oracle"), out, written(0.02, 2, 10)))
    for task in TASKS:
        share = task.reads or 1.0
        worse = 0.05 * (1 - share)
        runs.append(leave(Run("topk", task), out, written(0.12 + worse, 3), task.reads or 0.5))
        for place, name in enumerate(("gradient", "ppo", "constant")):
            for seed in range(3):
                run = Run(name, task, seed)
                if run.name == "ppo.quality.2":
                    runs.append(crash(run, out, "killed by signal 9"))
                    continue
                texts = written(0.08 + 0.02 * place + worse, 10 * place + seed)
                runs.append(leave(run, out, texts, 0.98 * share, 4000 + 500 * place))
    return runs
