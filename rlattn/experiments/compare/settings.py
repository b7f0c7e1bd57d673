"""What the program is asked for."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import tyro

from rlattn.console.cli import Maybe, check_counts, check_device, import_modules
from rlattn.console.options import check_types
from rlattn.errors import InputError
from rlattn.experiments.classification import LabelledMaterial
from rlattn.experiments.compare.scene import Budget
from rlattn.experiments.compare.tasks import ObjectiveName
from rlattn.experiments.translation import Material

HostKind = Literal["translation", "classification"]
Names = Annotated[tuple[str, ...], tyro.conf.arg(metavar="[NAME ...]", help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """For how long to compare, and where to put the results.

    Attributes:
        methods: Which methods; by default all.
        objectives: What is learned.
        reads: For `budget`: the fractions of the source to read at most, each a task of its own.
        seeds: How often each learner is trained, with the seeds 0, 1 and so on.
        steps: Environment steps of each training, all lanes together; one step is one target token,
            or one allocation of a text. By default 160,000, with --quick 6,000.
        minutes: How long each training takes instead; how many steps that are is measured before
            it, method by method.
        lanes: How many sentences advance together where rewards teach; learners by gradients have
            batches of 16, or what --settings say.
        valid_sentences: How many validation sentences choose what is kept; by default 500, with
            --quick 100.
        validations: How often a learner is validated during training; by default 20, with --quick
            4.
        test_sentences: How many test sentences are read at the end; by default all, with --quick
            200.
        workers: How many trainings run side by side, with an equal share of the cores for each; by
            default as many as there are cores.
        quick: Try all of it in a few minutes: few steps, two seeds, one target of reads.
        tune: Look for settings of the learners instead, with Optuna, on the validation sentences;
            what is found goes to settings.json in the out folder.
        trials: For --tune: how many settings each learner may try for each objective.
        settings: Settings of learners, as --tune leaves them; by default those that it found on
            locale phrases, or for classifiers the learners' own.
        out: The folder for the results; by default one below runs/ named after the time. A folder
            of the same comparison is gone on with: what is finished stays, what crashed or was
            cut is done again, and more methods, seeds and targets of reads may be asked for.
        resume: Go on with the comparison in this folder as it was last asked for; give nothing
            else. What is finished stays.
    """

    methods: Names = ()
    objectives: Annotated[tuple[ObjectiveName, ...], tyro.conf.arg(help_behavior_hint="")] = ()
    reads: tuple[float, ...] = (0.5, 0.3, 0.2, 0.1)
    seeds: int = 5
    steps: Maybe[int] = None
    minutes: Maybe[float] = None
    lanes: int = 64
    valid_sentences: Maybe[int] = None
    validations: Maybe[int] = None
    test_sentences: Maybe[int] = None
    workers: Maybe[int] = None
    quick: bool = False
    tune: bool = False
    trials: int = 20
    settings: Maybe[Path] = None
    out: Maybe[Path] = None
    resume: Maybe[Path] = None


@dataclass(frozen=True, kw_only=True)
class Config(Comparing, Material):
    """What to compare on a translator.

    Attributes:
        kind: What is compared on; `classification` has other options, see --kind classification
            --help. By default it is what the corpus is for.
        methods: Which methods; by default all. Without learning: native (always among them),
            uniform, random, diagonal, argmax, topk, topp, entmax15, sparsemax. By gradients:
            gradient, indexer, weights. By rewards: ppo, reinforce, warm-ppo (PPO after gradients),
            and the controls constant and shuffled. Bounds: oracle and, where there is noise,
            oracle-gate and clean.
        objectives: What is learned: `quality`, a bias on the attention that makes the reference
            likelier; `budget`, a gate that does so at given reads; with --noise, `noise`, a gate
            on sentences that does so. By default quality and budget, or noise.
        bound_sentences: How many test sentences for `oracle`, which tries every source position at
            every step; with --quick a tenth.
    """

    kind: HostKind = "translation"
    methods: Names = ()
    objectives: Annotated[tuple[ObjectiveName, ...], tyro.conf.arg(help_behavior_hint="")] = ()
    bound_sentences: int = 100


@dataclass(frozen=True, kw_only=True)
class LabelConfig(Comparing, LabelledMaterial):
    """What to compare on a classifier.

    Attributes:
        kind: What is compared on; `translation` has other options, see --kind translation --help.
            By default it is what the corpus is for.
        methods: Which methods; by default all. Without learning: native (always among them),
            uniform, random, first, topk. By gradients: gradient, weights (soft attention pooling by
            one learned vector). By rewards: ppo, warm-ppo (PPO after gradients), and the controls
            constant and shuffled. Bounds, where there is noise: oracle-gate and clean.
        objectives: What is learned: `quality`, a bias on the attention that makes the label
            likelier; `budget`, a gate that does so at given reads; with --noise, `noise`, a gate
            on sentences that does so. By default quality and budget, or noise.
        allocations: How often gates may open more of a text before it has its label; a bias is
            given once.
    """

    kind: HostKind = "classification"
    methods: Names = ()
    objectives: Annotated[tuple[ObjectiveName, ...], tyro.conf.arg(help_behavior_hint="")] = ()
    allocations: int = 4


AnyConfig: TypeAlias = Config | LabelConfig


def budget(config: AnyConfig) -> Budget:
    """Fills in what was left out."""
    quick = config.quick
    bound = 1 if isinstance(config, LabelConfig) else config.bound_sentences
    steps = config.steps
    if steps is None and config.minutes is None:
        steps = 6_000 if quick else 160_000
    return Budget(
        seeds=min(config.seeds, 2) if quick else config.seeds,
        steps=steps,
        minutes=config.minutes,
        lanes=config.lanes,
        max_source=config.max_source,
        max_target=None if isinstance(config, LabelConfig) else config.max_target,
        valid_sentences=config.valid_sentences or (100 if quick else 500),
        validations=config.validations or (4 if quick else 20),
        test_sentences=config.test_sentences or (200 if quick else None),
        bound_sentences=max(1, bound // 10) if quick else bound,
        allocations=config.allocations if isinstance(config, LabelConfig) else None,
    )


def targets(config: AnyConfig) -> tuple[float, ...]:
    """The targets of reads; with --quick the middle one."""
    reads = sorted(set(config.reads), reverse=True)
    return (reads[len(reads) // 2],) if config.quick else tuple(reads)


def workers(config: AnyConfig) -> int:
    """How many processes work side by side."""
    # Not all systems tell which cores this process may use.
    affinity = getattr(os, "sched_getaffinity", None)
    return config.workers or (len(affinity(0)) if affinity else os.cpu_count() or 1)


def check(config: AnyConfig) -> AnyConfig:
    """Checks what can be checked at once, and names the out folder.

    Raises:
        InputError: If something is out of range or does not go together.
    """
    check_types(config)
    counts = ("seeds", "lanes", "max_source", "max_target", "trials", "bound_sentences")
    maybe = ("steps", "valid_sentences", "validations", "test_sentences", "workers")
    given = [
        name for name in (*counts, "allocations", *maybe) if getattr(config, name, None) is not None
    ]
    check_counts(config, *given)
    if config.minutes is not None and not (math.isfinite(config.minutes) and config.minutes > 0):
        raise InputError(f"--minutes {config.minutes}: expected a number above 0")
    if config.minutes is not None and config.steps is not None:
        raise InputError("--steps and --minutes both say how long a training is: give one")
    usual: tuple[ObjectiveName, ...] = ("noise",) if config.noise else ("quality", "budget")
    objectives = config.objectives or usual
    if "noise" in objectives and config.noise is None:
        raise InputError("--objectives noise: say where the noise stands, such as --noise behind")
    if "budget" in objectives and not config.reads:
        raise InputError("--reads: the objective budget needs at least one fraction, such as 0.2")
    for target in config.reads:
        if not 0 < target <= 1:
            raise InputError(f"--reads {target}: expected fractions above 0, at most 1")
    check_device(config.device)
    import_modules(config.imports)
    out = config.out or Path("runs") / time.strftime("compare-%Y%m%d-%H%M%S")
    return replace(config, out=out.expanduser(), objectives=objectives)


def same_comparison(config: AnyConfig, corpus: str, host: str, settings: object) -> dict[str, Any]:
    """What must not change when a comparison goes on; as JSON gives it back.

    More seeds, methods, objectives and targets of reads are the same comparison: each run of it
    stands for itself.

    Args:
        config: What the program was asked for.
        corpus: The fingerprint of the corpus.
        host: The fingerprint of the host.
        settings: The learners' settings.
    """
    given = budget(config)
    names = [name for name in given.__dataclass_fields__ if name != "seeds"]
    return {
        "corpus": corpus,
        "host": host,
        "settings": settings,
        "tune": config.tune,
        **{name: getattr(given, name) for name in names},
    }
