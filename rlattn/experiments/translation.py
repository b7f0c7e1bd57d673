"""What the translation programs are asked for: settings, corpus and host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import tyro

from rlattn.actions import make_family
from rlattn.console.cli import Maybe, Modules
from rlattn.corpora import Layout, ParallelCorpus, load_corpus, noisy_corpus
from rlattn.corpora.files import read_parallel
from rlattn.corpora.noise import Place
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError
from rlattn.experiments.checks import check_above_0, check_training
from rlattn.experiments.training import Objective
from rlattn.experiments.weights import parse_weights, take_reads_target
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.builtin import BuiltinConfig, builtin_host, embedded_host
from rlattn.rewards import TotalReward

_READS_TARGET = 0.2


@dataclass(frozen=True, kw_only=True)
class Material:
    """What is translated, and by whom.

    Attributes:
        corpus: `locale:en-de` or any other pair of CLDR locales; `documents:en-de`, long sources
            of which a few sentences are asked for (with --max-source 1024 --max-target 160); or
            source and target in two columns, `tsv:FILE`; or a data set, as in
            hub:opus_books:de-en#de-en.
        train_src: Parallel text to train on instead of --corpus: the source side, a sentence a
            line, plain or .gz.
        train_tgt: The target side: the same lines, translated.
        valid_src: Validation text, source side; some of the training text is held out when it is
            not given.
        valid_tgt: Its target side.
        test_src: Test text, source side; held out likewise when not given.
        test_tgt: Its target side.
        noise: Puts another sentence `before` or `behind` each source, or on `either` side, and the
            sign = between them, which tells the one that is asked for. The host is not taught
            this: built-in ones are trained on the corpus as it is.
        host: The frozen translator: a local folder or hub id; `embedded`, which ships with rlattn
            for `locale:en-de`; `builtin`, a small one that is trained on the corpus first and
            kept in the cache; `auto` is `embedded` for its corpus and `builtin` for any other.
            A folder that is called as one of these is ./builtin. With `int8:` before a folder or
            id its linear layers are quantised (`rlattn[int8]`).
        host_minutes: How long `builtin` trains; by default 8 for locale phrases, 15 for other
            text, and half an hour or so for documents. When it is given, `auto` is `builtin` for
            every corpus.
        max_source: Longest source in tokens; longer ones are cut and counted.
        max_target: Longest target in tokens.
        device: Where host and policy run: `cpu` or `cuda`.
        imports: Python modules to import first, in which rewards and action families of your own
            register themselves; `my_rewards` is my_rewards.py in this folder.
    """

    corpus: str = "locale:en-de"
    train_src: Maybe[Path] = None
    train_tgt: Maybe[Path] = None
    valid_src: Maybe[Path] = None
    valid_tgt: Maybe[Path] = None
    test_src: Maybe[Path] = None
    test_tgt: Maybe[Path] = None
    noise: Maybe[Place] = None
    host: str = "auto"
    host_minutes: Maybe[float] = None
    max_source: int = 64
    max_target: int = 64
    device: str = "cpu"
    imports: Modules = ()


@dataclass(frozen=True, kw_only=True)
class Config(Material):
    """What to train on, what to reward and where to put the results.

    Attributes:
        action: What the agent decides: `gate` opens or shuts each source position, `gate:16` each
            block of so many, `gate:sentence` each sentence; `window` opens a stretch of them,
            and `position` one and `topk:4` four; `bias` adds to the attention logits, `sharpness`
            scales them, `simplex` replaces the attention, and `mix` keeps some of it. Put before
            any of them, `per-layer:` has it decided for each decoder layer: `per-layer:gate`.
        reward: Weighted terms, such as `fidelity=1 reads=-0.5`. At each step: agreement, fidelity,
            likelihood, log_likelihood, probability, brier and accuracy (of the reference), reads,
            entropy, coverage, latency, length; with `final:` before them, at the end alone. At a
            sentence's end: chrf, bleu, ter, exact; with `spread:` before them, as differences at
            each step. As controls: constant, and `shuffled:` before any term. A weight may be a
            schedule, `reads=-0.1:-0.5:100000` (from, to, steps), or find a target of a cost, as
            in `latency=target:0.5`. By default what opens positions is rewarded for agreement,
            gates and windows with a --reads-target of 0.2, and all else for likelihood.
        reads_target: Adapt the weight of the reads until this fraction of the source is read, and
            keep the best policy that reads no more than this on the validation text.
        prefix: What is fed back while training: `host`, the host's own greedy output; `free`, the
            steered output; or `reference`. By default `reference` where a reward needs it, and
            otherwise `host`. Validation and test always feed back the steered output.
        steps: Environment steps of training, all lanes together; one step is one target token.
        lanes: How many sentences advance together.
        valid_sentences: How many validation sentences choose the policy that is kept.
        validations: How often the policy is validated during training.
        learning_rate: Learning rate of PPO at the start; it falls to a tenth of it.
        gamma: Discount per target token; by default 0 where every step is rewarded by itself along
            a given prefix, and 0.98 elsewhere.
        seed: Seed of everything that is random.
        out: The folder for the results, new or empty; by default one below runs/ named after the
            time.
        checkpoint_minutes: A checkpoint is written whenever so much time has passed; and when the
            run is interrupted, and when the training is over.
        resume: The folder of a run to go on with, from its last checkpoint. Its settings are those
            that it began with.
    """

    action: str = "gate"
    reward: Annotated[
        tuple[str, ...], tyro.conf.arg(metavar="[NAME=WEIGHT ...]", help_behavior_hint="")
    ] = ()
    reads_target: Maybe[float] = None
    prefix: Maybe[Prefix] = None
    steps: int = 160_000
    lanes: int = 64
    valid_sentences: int = 500
    validations: int = 20
    learning_rate: float = 1.5e-3
    gamma: Maybe[float] = None
    seed: int = 0
    out: Maybe[Path] = None
    checkpoint_minutes: float = 2.0
    resume: Maybe[Path] = None


@dataclass(frozen=True)
class TranslationObjective(Objective):
    """What is rewarded in a translation, once defaults are filled in.

    Attributes:
        prefix: What is fed back.
    """

    prefix: Prefix


def choose_objective(config: Config) -> TranslationObjective:
    """Fills in what suits the action family.

    Raises:
        InputError: If a reward is malformed or unknown, or needs another prefix.
    """
    weights, target = take_reads_target(parse_weights(config.reward), config.reads_target)
    if not weights:
        family = make_family(config.action)
        # What shuts no position can still tell the host where it should have looked.
        weights = {"agreement": 1.0} if family.mode == "gate" else {"likelihood": 1.0}
        if family.chooses_reads and target is None:
            target = _READS_TARGET
    needs = TotalReward(weights, target).needs
    prefix = config.prefix or ("reference" if "reference" in needs else "host")
    if "reference" in needs and prefix != "reference":
        raise InputError(
            f"--prefix {prefix}: a reward needs the reference instead; use --prefix reference"
        )
    return TranslationObjective(weights, target, prefix)


def check(config: Config) -> Path:
    """Checks what can be checked at once, and names the out folder.

    Raises:
        InputError: If a number is out of range, the device is not there, or the folder is taken.
    """
    counts = ("steps", "lanes", "max_source", "max_target", "valid_sentences", "validations")
    out = check_training(config, *counts, name="translate")
    if config.host_minutes is not None:
        check_above_0("host_minutes", config.host_minutes)
    return out


def find_material(config: Material) -> tuple[ParallelCorpus, Seq2SeqHost]:
    """Finds the corpus and its host; noise is put beside the sources after that.

    Raises:
        InputError: If there is no such corpus, file or host, something cannot be read rightly, or
            the cache cannot be written.
        UnsupportedModelError: If the host is not an encoder-decoder.
    """
    corpus = find_corpus(config)
    host = find_host(config, corpus)
    if config.noise is not None:
        corpus = noisy_corpus(corpus, Layout(config.noise))
    return corpus, host


def find_corpus(config: Material) -> ParallelCorpus:
    """Reads the text files that are given, or loads the corpus that is named; without noise."""
    splits: list[tuple[Path, Path] | None] = []
    for split in ("train", "valid", "test"):
        source, target = getattr(config, f"{split}_src"), getattr(config, f"{split}_tgt")
        if (source is None) != (target is None):
            raise InputError(f"--{split}-src and --{split}-tgt go together: give both or neither")
        splits.append(None if source is None else (source, target))
    train, valid, test = splits
    if train is not None:
        return read_parallel(train, valid, test)
    if valid is not None or test is not None:
        raise InputError("validation or test files without training files: give --train-src too")
    if config.corpus.startswith("noise:"):
        # A host would be trained on the noise, and learn to live with it.
        raise InputError(f"--corpus {config.corpus}: give the corpus without noise, and --noise")
    return load_corpus(config.corpus)


def find_host(config: Material, corpus: ParallelCorpus) -> Seq2SeqHost:
    """Loads the host that is named, or trains the built-in one."""
    if config.host not in ("auto", "builtin"):
        return load_host(config.host, config.device, lambda: corpus)
    # Without settings the corpus that the embedded host was made for gets that one.
    settings = None if config.host == "auto" else BuiltinConfig.for_corpus(corpus)
    if config.host_minutes is not None:
        settings = replace(BuiltinConfig.for_corpus(corpus), max_minutes=config.host_minutes)
    folder = builtin_host(corpus, settings, device=config.device)
    return load_host("embedded" if folder == embedded_host() else folder, config.device)
