"""Learn where a frozen translator looks: PPO on its attention, judged by the translation.

Without arguments it runs on an embedded corpus of locale phrases (English to German) and an
embedded host, on any machine and offline, and ends with a table of what was reached.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import tyro
from rich.console import Console

from rlattn.actions import make_family
from rlattn.agents import PPOSettings, RewardLog, Validation, learn, make_ppo
from rlattn.corpora import ParallelCorpus, load_corpus
from rlattn.corpora.files import read_parallel
from rlattn.envs import TranslationCore, TranslationVecEnv
from rlattn.envs.episodes import Prefix
from rlattn.errors import InputError, RlattnError
from rlattn.experiments.figures import draw_curves
from rlattn.experiments.outputs import check_output, claim_output, write_json
from rlattn.experiments.provenance import provenance
from rlattn.experiments.report import judge
from rlattn.experiments.statistics import corpus_scores
from rlattn.experiments.weights import parse_weights
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.builtin import BuiltinConfig, builtin_host, embedded_host
from rlattn.inference import translate
from rlattn.rewards import TotalReward


@dataclass(frozen=True)
class Config:
    """What to train on, what to reward and where to put the results.

    Attributes:
        corpus: `locale:en-de` or any pair of CLDR locales, `tsv:FILE`, or `hub:NAME#de-en`.
        train_src: Parallel training text instead of --corpus: the source side, plain or .gz.
        train_tgt: Its target side.
        valid_src: Validation text; split off the training text when not given.
        valid_tgt: Its target side.
        test_src: Test text; split off the training text when not given.
        test_tgt: Its target side.
        host: The frozen translator: a local folder or hub id; `builtin` trains a small one on the
            corpus (kept in the cache); `auto` is the embedded one where it fits, else `builtin`.
        host_minutes: How long `builtin` trains; by default 8 for locale phrases, 15 for other text.
        action: What the agent decides: `gate` opens or shuts each source position, `bias` adds to
            the attention logits.
        reward: Weighted terms: fidelity, reads, chrf, bleu, likelihood.
        reads_target: Adapt the weight of the reads until this fraction of the source is read; the
            kept policy reads at most that much on the validation text.
        prefix: What is fed back while training: the host's own greedy output, the reference, or
            free, the steered output. The results are always free-running.
        steps: Environment steps of training; one step is one target token.
        lanes: Sentences that advance together.
        max_source: Longest source in tokens; longer ones are cut and counted.
        max_target: Longest target in tokens.
        valid_sentences: How many validation sentences choose the checkpoint.
        validations: How often the policy is validated.
        learning_rate: Of PPO's optimiser, at the start.
        gamma: Discount per target token.
        seed: Fixes everything that is random.
        device: Where host and policy are: cpu, cuda.
        out: Where the results go; a new folder below runs/ when not given.
    """

    corpus: str = "locale:en-de"
    train_src: Path | None = None
    train_tgt: Path | None = None
    valid_src: Path | None = None
    valid_tgt: Path | None = None
    test_src: Path | None = None
    test_tgt: Path | None = None
    host: str = "auto"
    host_minutes: float | None = None
    action: str = "gate"
    reward: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME=WEIGHT ...")] = (
        "fidelity=1",
        "reads=-0.5",
    )
    reads_target: float | None = None
    prefix: Prefix = "host"
    steps: int = 500_000
    lanes: int = 64
    max_source: int = 64
    max_target: int = 64
    valid_sentences: int = 500
    validations: int = 20
    learning_rate: float = 1e-3
    gamma: float = 0.5
    seed: int = 0
    device: str = "cpu"
    out: Path | None = None


def run(config: Config, console: Console) -> dict[str, Any]:
    """Trains, judges and writes the out folder; whatever is given is checked before it is made.

    Args:
        config: What to do.
        console: Where to report.

    Returns:
        What also stands in ``results.json``.

    Raises:
        InputError: If something given cannot be used; no out folder is made then.
    """
    started = time.monotonic()
    out = _check(config)
    weights = parse_weights(config.reward)
    reward = TotalReward(weights, config.reads_target)
    family = make_family(config.action)
    corpus = _corpus(config)
    host = _host(config, corpus)
    core = TranslationCore(
        host,
        corpus.train,
        family=family,
        reward=reward,
        prefix=config.prefix,
        lanes=config.lanes,
        max_source=config.max_source,
        max_target=config.max_target,
        seed=config.seed,
    )
    settings = replace(PPOSettings(), learning_rate=config.learning_rate, gamma=config.gamma)
    ppo = make_ppo(TranslationVecEnv(core), settings, seed=config.seed, device=config.device)
    claim_output(out)
    write_json(
        out / "config.json",
        {
            **asdict(config),
            "out": out,
            "ppo": settings,
            "corpus_resolved": {"name": corpus.name, "fingerprint": corpus.fingerprint},
            "host_resolved": {"name": host.name, "fingerprint": host.fingerprint},
            "provenance": provenance(),
        },
    )
    limits = {"max_source": config.max_source, "max_target": config.max_target}
    valid = corpus.valid[: config.valid_sentences]
    native = translate(host, [pair.source for pair in valid], **limits)
    scores = corpus_scores(native.texts, [pair.target for pair in valid])
    console.print(
        f"host {host.name} on {corpus.name}: BLEU {scores.bleu:.1f} on {len(valid)} validation "
        f"sentences; results go to {out}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    validation = Validation(
        host,
        valid,
        native_bleu=scores.bleu,
        translate=partial(translate, host, **limits),
        every=max(1, config.steps // config.validations),
        reads_target=config.reads_target,
        reads_weight=weights.get("reads", 0.0),
    )
    began = time.monotonic()
    learn(ppo, config.steps, [validation, RewardLog()], log_folder=out)
    training_seconds = time.monotonic() - began
    policy, kept = validation.policy, validation.best
    assert kept is not None
    policy.save(out / "policy")
    curve = [asdict(point) for point in validation.curve]
    native_scores = {"bleu": scores.bleu, "chrf": scores.chrf}
    draw_curves(
        out / "curves.png",
        curve,
        native=native_scores,
        kept=kept.env_steps,
        reads_target=config.reads_target,
    )
    results = {
        **judge(host, corpus.test, policy, out, console, seed=config.seed, **limits),
        "env_steps": ppo.num_timesteps,
        "training_seconds": training_seconds,
        "seconds": time.monotonic() - started,
        "valid": {"native": native_scores, "kept": kept, "curve": curve},
        "truncated_training_sentences": core.truncated,
        "dropped_training_pairs": corpus.dropped,
    }
    write_json(out / "results.json", results)
    for split in ("training", "test"):
        if results[f"truncated_{split}_sentences"]:
            console.print(
                f"{results[f'truncated_{split}_sentences']} {split} sentences were longer than "
                f"{config.max_source} source or {config.max_target} target tokens and were cut"
            )
    return results


def _check(config: Config) -> Path:
    """Checks what can be checked at once, and names the out folder."""
    for name in ("steps", "lanes", "max_source", "max_target", "valid_sentences", "validations"):
        if getattr(config, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} {getattr(config, name)}: expected at least 1")
    for name in ("host_minutes", "learning_rate"):
        number = getattr(config, name)
        if number is not None and not (np.isfinite(number) and number > 0):
            raise InputError(f"--{name.replace('_', '-')} {number}: expected a number above 0")
    if not 0 <= config.gamma <= 1:
        raise InputError(f"--gamma {config.gamma}: expected a number from 0 to 1")
    try:
        torch.empty(0, device=config.device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"--device {config.device}: not available here; try cpu") from error
    return check_output(config.out or Path("runs") / time.strftime("translate-%Y%m%d-%H%M%S"))


def _corpus(config: Config) -> ParallelCorpus:
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
    return load_corpus(config.corpus)


def _host(config: Config, corpus: ParallelCorpus) -> Seq2SeqHost:
    if config.host not in ("auto", "builtin"):
        return load_host(config.host, config.device)
    # Without settings the corpus that the embedded host was made for gets that one.
    settings = None if config.host == "auto" else BuiltinConfig.for_corpus(corpus)
    if config.host_minutes is not None:
        settings = replace(BuiltinConfig.for_corpus(corpus), max_minutes=config.host_minutes)
    folder = builtin_host(corpus, settings, device=config.device)
    return load_host("embedded" if folder == embedded_host() else folder, config.device)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    console = Console()
    config = tyro.cli(
        Config,
        description=__doc__,
        config=(tyro.conf.OmitArgPrefixes, tyro.conf.AvoidSubcommands),
    )
    try:
        run(config, console)
    except RlattnError as error:
        Console(stderr=True, soft_wrap=True).print(f"error: {error}", markup=False, highlight=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
