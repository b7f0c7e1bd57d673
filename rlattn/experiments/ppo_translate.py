"""Learn where a frozen translator looks: PPO on its attention, judged by the translation.

Without arguments it runs on an embedded corpus of locale phrases (English to German) and an
embedded host, on any machine and offline, and ends with a table of what was reached.
"""

from __future__ import annotations

import shlex
import time
from contextlib import ExitStack
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from rich.console import Console

from rlattn.actions import make_family
from rlattn.agents import Meter, PPOSettings, Validator, make_ppo
from rlattn.console.cli import run_program
from rlattn.console.terminal import Terminal
from rlattn.envs import AttentionVecEnv, TranslationCore
from rlattn.experiments.card_scores import card_scores
from rlattn.experiments.outputs import RESULTS, write_json
from rlattn.experiments.provenance import made_with
from rlattn.experiments.report import judge
from rlattn.experiments.resume import finished_results, run_folder, settings_of_run
from rlattn.experiments.statistics import corpus_scores
from rlattn.experiments.training import forget_checkpoints, tell_truncated, train
from rlattn.experiments.translation import Config, check, choose_objective, find_material
from rlattn.inference import translate
from rlattn.inference.folder import PICTURE
from rlattn.rewards import TotalReward
from rlattn.storage.files import write_file


def run(config: Config, console: Console) -> dict[str, Any]:
    """Trains, judges and writes the out folder; whatever is given is checked before it is made.

    Args:
        config: What to do.
        console: Where to report.

    Returns:
        What also stands in ``results.json``.

    Raises:
        InputError: If something given cannot be used; no out folder is made then.
        OutputError: If something cannot be written.
    """
    with ExitStack() as held:
        return _run(config, console, held)


def _run(config: Config, console: Console, held: ExitStack) -> dict[str, Any]:
    started = time.monotonic()
    config = settings_of_run(config)
    if (results := finished_results(config.resume, console)) is not None:
        return results
    out = check(config)
    objective = choose_objective(config)
    reward = TotalReward(objective.weights, objective.reads_target)
    family = make_family(config.action)
    corpus, host = find_material(config)
    limit = min(config.max_source, host.max_source or config.max_source)
    config = replace(config, max_source=limit)
    core = TranslationCore(
        host,
        corpus.train,
        family=family,
        reward=reward,
        prefix=objective.prefix,
        lanes=config.lanes,
        max_source=config.max_source,
        max_target=config.max_target,
        seed=config.seed,
    )
    settings = PPOSettings(learning_rate=config.learning_rate, gamma=config.gamma)
    ppo = make_ppo(AttentionVecEnv(core), settings, seed=config.seed, device=config.device)
    write = partial(translate, host, max_source=config.max_source, max_target=config.max_target)
    valid = corpus.valid[: config.valid_sentences]
    native = write([pair.source for pair in valid])
    scores = corpus_scores(native.texts, [pair.target for pair in valid])
    made = made_with(corpus, host)
    description = {
        "experiment": "ppo_translate",
        **asdict(config),
        "out": out,
        "objective_resolved": objective,
        "ppo": replace(settings, gamma=ppo.gamma),
        **made,
    }
    resume = config.resume is not None
    command = held.enter_context(run_folder(out, description, console, resume=resume))
    made["provenance"]["command"] = shlex.join(command)
    console.print(
        f"host {host.name} on {corpus.name}: BLEU {scores.bleu:.1f} on {len(valid)} validation "
        f"sentences; results go to {out}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    validator = Validator(
        valid,
        Meter(host),
        native_bleu=scores.bleu,
        translate=write,
        reads_target=objective.reads_target,
        reads_weight=objective.reads_weight,
    )
    native_scores = {"bleu": scores.bleu, "chrf": scores.chrf}
    trained = train(
        ppo,
        validator,
        out,
        steps=config.steps,
        validations=config.validations,
        corpus=corpus.name,
        native=native_scores,
        reads_target=objective.reads_target,
        minutes=config.checkpoint_minutes,
        resume=resume,
        command=command,
        console=console,
    )
    policy = trained.policy
    results = {
        **judge(
            host,
            corpus.test,
            policy,
            out,
            console,
            max_source=config.max_source,
            max_target=config.max_target,
            seed=config.seed,
        ),
        "env_steps": ppo.num_timesteps,
        "training_seconds": trained.seconds,
        "seconds": time.monotonic() - started + trained.earlier,
        "valid": {"native": native_scores, "kept": trained.kept, "curve": trained.curve},
        "truncated_training_sentences": core.truncated,
        "dropped_training_pairs": corpus.dropped,
        **made,
    }
    policy.scores = card_scores(results, validated=len(valid))
    policy.save(out / "policy")
    if (out / PICTURE).is_file():
        write_file(out / "policy" / PICTURE, (out / PICTURE).read_bytes())
    write_json(out / RESULTS, results)  # the last: a run with results is over
    forget_checkpoints(out)
    limits = f"{config.max_source} source or {config.max_target} target tokens"
    tell_truncated(results, "sentences", limits, console)
    return results


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    # What looks like an emoji's name, such as :de:, is part of some file's name.
    console = Terminal()
    run_program("rlattn.experiments.ppo_translate", __doc__, Config, partial(run, console=console))


if __name__ == "__main__":
    main()
