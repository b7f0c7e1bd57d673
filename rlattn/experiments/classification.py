"""What the classification program is asked for: settings, corpus and host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from rlattn.actions import make_family
from rlattn.console.cli import Maybe, Modules
from rlattn.corpora import (
    Layout,
    ParallelCorpus,
    labels_of,
    load_corpus,
    noisy_corpus,
    read_labelled,
)
from rlattn.corpora.noise import Place
from rlattn.errors import InputError
from rlattn.experiments.checks import check_training
from rlattn.experiments.training import Objective
from rlattn.experiments.weights import parse_weights, take_reads_target
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.rewards import TotalReward

_READS_TARGET, _READS_PRICE = 0.3, -0.2


@dataclass(frozen=True, kw_only=True)
class LabelledMaterial:
    """What is classified, and by whom.

    Attributes:
        corpus: `kinds:en` or any other CLDR locale: of which kind is the locale phrase that is
            asked for among others; texts and labels in the two columns of `tsv:FILE`, in columns of
            these names, as in `csv:FILE` and `jsonl:FILE`, or of others, as in
            csv:FILE#review,stars; or a data set, as in hub:stanfordnlp/sst2#sentence,label.
        train: Labelled text to train on instead of --corpus: .tsv, .csv or .jsonl, plain or .gz.
        valid: Validation text; some of the training text is held out when it is not given.
        test: Test text; held out likewise when not given.
        text_column: The column of texts in these files; by default `text` or else `sentence`, and
            the first one of .tsv.
        label_column: The column of labels; by default `label`, and the second one of .tsv.
        noise: Puts another text `before` or `behind` each text, or on `either` side, and the sign =
            between them, which tells the one that is asked for. The host is not taught this.
        host: The frozen classifier: a local folder or hub id of a model for sequence
            classification; `builtin`, a small one that is trained on the corpus first and kept in
            the cache; `minilm` (`rlattn[minilm]`), a pretrained encoder with a head that is trained
            first; or `pooled:` before `minilm` or the name of any other encoder, whose states are
            pooled by attention. A folder that is called as one of these is ./builtin.
        max_source: Longest text in tokens; longer ones are cut and counted.
        device: Where host and policy run: `cpu` or `cuda`.
        imports: Python modules to import first, in which rewards and action families of your own
            register themselves; `my_rewards` is my_rewards.py in this folder.
    """

    corpus: str = "kinds:en"
    train: Maybe[Path] = None
    valid: Maybe[Path] = None
    test: Maybe[Path] = None
    text_column: Maybe[str] = None
    label_column: Maybe[str] = None
    noise: Maybe[Place] = None
    host: str = "builtin"
    max_source: int = 64
    device: str = "cpu"
    imports: Modules = ()


@dataclass(frozen=True, kw_only=True)
class Config(LabelledMaterial):
    """What to train on, what to reward and where to put the results.

    Attributes:
        action: What the agent decides. In each step `gate` opens tokens, `gate:4` blocks of so many
            and `gate:sentence` sentences; `topk:4` opens four tokens, `position` one, and `window`
            a stretch; and what is open stays open. Of `bias`, `simplex`, `mix` and `sharpness`,
            which steer the attention that the label comes from, the latest allocation counts. By
            default `gate:sentence` where a part of a text is asked for, as in `kinds:en` and with
            --noise, and otherwise `gate`.
        reward: Weighted terms, such as `gain=1 reads=-0.5`. At each step: gain (in the
            log-probability of the right label), likelihood, log_likelihood, probability, brier,
            accuracy, agreement, fidelity, reads; with `final:` before them, at the end alone. As
            controls: constant, and `shuffled:` before any term. A weight may be a schedule, as in
            reads=-0.1:-0.5:100000 (from, to, steps). By default the probability of the right label
            is rewarded, `final:probability=1`; gates and windows have a --reads-target of 0.3, and
            what can only read less by stopping early, `position` and `topk`, has reads=-0.2.
        reads_target: Adapt the weight of the reads until this fraction of a text is read, and keep
            the best policy that reads no more than this on the validation text.
        allocations: How often the agent may allocate attention before a text has its label.
        stop: Whether reading ends when an action opens nothing new.
        steps: Environment steps of training, all lanes together; one step is one allocation.
        lanes: How many texts advance together.
        valid_texts: How many validation texts choose the policy that is kept.
        validations: How often the policy is validated during training.
        learning_rate: Learning rate of PPO at the start; it falls to a tenth of it.
        gamma: Discount per allocation; by default 0.98.
        seed: Seed of everything that is random.
        out: The folder for the results, new or empty; by default one below runs/ named after the
            time.
        checkpoint_minutes: A checkpoint is written whenever so much time has passed; and when the
            run is interrupted, and when the training is over.
        resume: The folder of a run to go on with, from its last checkpoint. Its settings are those
            that it began with.
    """

    action: Maybe[str] = None
    reward: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="[NAME=WEIGHT ...]", help_behavior_hint="")
    ] = ()
    reads_target: Maybe[float] = None
    allocations: int = 4
    stop: bool = True
    steps: int = 40_000
    lanes: int = 64
    valid_texts: int = 500
    validations: int = 20
    learning_rate: float = 1.5e-3
    gamma: Maybe[float] = None
    seed: int = 0
    out: Maybe[Path] = None
    checkpoint_minutes: float = 2.0
    resume: Maybe[Path] = None


def choose_action(config: Config) -> str:
    """Fills in what suits the texts."""
    if config.action is not None:
        return config.action
    named = config.train is None and config.corpus.startswith("kinds:")
    return "gate:sentence" if named or config.noise is not None else "gate"


def choose_objective(config: Config) -> Objective:
    """Fills in what suits the action family.

    Raises:
        InputError: If a reward is malformed or unknown.
    """
    weights, target = take_reads_target(parse_weights(config.reward), config.reads_target)
    if not weights:
        # Not its logarithm: a host that is sure of a wrong label would count for all others.
        weights, family = {"final:probability": 1.0}, make_family(choose_action(config))
        if target is None and family.chooses_reads:
            target = _READS_TARGET
        elif target is None and family.mode == "gate":
            # What opens so many at each step can be unable to meet a target, but can stop early.
            weights["reads"] = _READS_PRICE
    TotalReward(weights, target)
    return Objective(weights, target)


def check(config: Config) -> Path:
    """Checks what can be checked at once, and names the out folder.

    Raises:
        InputError: If a number is out of range, the device is not there, or the folder is taken.
    """
    counts = ("allocations", "steps", "lanes", "max_source", "valid_texts", "validations")
    return check_training(config, *counts, name="classify")


def find_material(config: LabelledMaterial) -> tuple[ParallelCorpus, ClassifierHost[Any]]:
    """Finds the corpus and its host; noise is put beside the texts after that.

    Raises:
        InputError: If there is no such corpus, file or host, something cannot be read rightly, or
            labels do not fit together.
        UnsupportedModelError: If the host's attention cannot be steered.
    """
    corpus = find_corpus(config)
    labels_of(corpus)  # labels that do not fit together are found before a host is trained
    host = load_classifier(config.host, lambda: corpus, config.device)
    if config.noise is not None:
        corpus = noisy_corpus(corpus, Layout(config.noise))
    return corpus, host


def find_corpus(config: LabelledMaterial) -> ParallelCorpus:
    """Reads the files that are given, or loads the corpus that is named; without noise.

    Raises:
        InputError: If there is no such corpus or file, or it cannot be read rightly.
    """
    text, label = config.text_column, config.label_column
    if config.train is not None:
        return read_labelled(config.train, config.valid, config.test, text=text, label=label)
    if config.valid is not None or config.test is not None:
        raise InputError("validation or test texts without training texts: give --train, too")
    if text is not None or label is not None:
        raise InputError(
            "--text-column and --label-column go with --train; of a corpus, name the columns with "
            "it, as in csv:FILE#TEXT,LABEL"
        )
    return load_corpus(config.corpus)
