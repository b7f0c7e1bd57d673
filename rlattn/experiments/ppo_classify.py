"""Learn what a frozen classifier reads: PPO on its attention, judged by the label.

Without arguments it runs on an embedded corpus of locale phrases and a small host that it trains
first, on any machine and offline, and ends with a table of what was reached.
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
from rlattn.agents import LabelValidator, Meter, PPOSettings, make_ppo
from rlattn.agents.label_validation import label_quality
from rlattn.console.cli import run_program
from rlattn.console.terminal import Terminal
from rlattn.envs import AttentionVecEnv, ClassificationCore
from rlattn.experiments.card_scores import card_label_scores
from rlattn.experiments.classification import (
    Config,
    check,
    choose_action,
    choose_objective,
    find_material,
)
from rlattn.experiments.label_judge import judge_labels
from rlattn.experiments.outputs import RESULTS, write_json
from rlattn.experiments.provenance import made_with
from rlattn.experiments.resume import finished_results, run_folder, settings_of_run
from rlattn.experiments.training import forget_checkpoints, tell_truncated, train
from rlattn.inference.classification import classify_texts
from rlattn.rewards import TotalReward


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
    action = choose_action(config)
    config = replace(config, action=action)
    objective = choose_objective(config)
    reward = TotalReward(objective.weights, objective.reads_target)
    family = make_family(action)
    corpus, host = find_material(config)
    limit = min(config.max_source, host.max_source or config.max_source)
    config = replace(config, max_source=limit)
    core = ClassificationCore(
        host,
        corpus.train,
        family=family,
        reward=reward,
        lanes=config.lanes,
        max_source=config.max_source,
        steps=config.allocations,
        stop=config.stop,
        seed=config.seed,
    )
    settings = PPOSettings(
        rollout=16, batch_size=1024, learning_rate=config.learning_rate, gamma=config.gamma
    )
    ppo = make_ppo(AttentionVecEnv(core), settings, seed=config.seed, device=config.device)
    valid = corpus.valid[: config.valid_texts]
    texts, labels = [pair.source for pair in valid], [pair.target for pair in valid]
    native = classify_texts(host, texts, max_source=config.max_source)
    accuracy, likelihood = label_quality(native, labels)
    made = made_with(corpus, host)
    description = {
        "experiment": "ppo_classify",
        **asdict(config),
        "out": out,
        "objective_resolved": objective,
        "ppo": replace(settings, gamma=ppo.gamma),
        "labels": host.labels,
        **made,
    }
    resume = config.resume is not None
    command = held.enter_context(run_folder(out, description, console, resume=resume))
    made["provenance"]["command"] = shlex.join(command)
    console.print(
        f"host {host.name} on {corpus.name}: accuracy {accuracy:.1f} on {len(valid)} validation "
        f"texts; results go to {out}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    validator = LabelValidator(
        valid,
        Meter(host),
        native_accuracy=accuracy,
        classify=lambda texts, policy: policy.classify(texts, host, max_source=config.max_source),
        reads_target=objective.reads_target,
        reads_weight=objective.reads_weight,
    )
    trained = train(
        ppo,
        validator,
        out,
        steps=config.steps,
        validations=config.validations,
        corpus=corpus.name,
        native={"accuracy": accuracy},
        reads_target=objective.reads_target,
        minutes=config.checkpoint_minutes,
        resume=resume,
        command=command,
        console=console,
    )
    results = {
        **judge_labels(
            host,
            corpus.test,
            trained.policy,
            out,
            console,
            max_source=config.max_source,
            seed=config.seed,
        ),
        "env_steps": ppo.num_timesteps,
        "training_seconds": trained.seconds,
        "seconds": time.monotonic() - started + trained.earlier,
        "valid": {
            "native": {"accuracy": accuracy, "log_likelihood": likelihood},
            "kept": trained.kept,
            "curve": trained.curve,
        },
        "truncated_training_texts": core.truncated,
        "dropped_training_texts": corpus.dropped,
        **made,
    }
    trained.policy.scores = card_label_scores(results, validated=len(valid))
    trained.policy.save(out / "policy")
    write_json(out / RESULTS, results)  # the last: a run with results is over
    forget_checkpoints(out)
    tell_truncated(results, "texts", f"{config.max_source} tokens", console)
    return results


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    # What looks like an emoji's name, such as :de:, is part of some file's name.
    console = Terminal()
    run_program("rlattn.experiments.ppo_classify", __doc__, Config, partial(run, console=console))


if __name__ == "__main__":
    main()
