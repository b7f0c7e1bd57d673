"""The page of a policy on the Hugging Face Hub."""

from __future__ import annotations

import re
import shlex

from huggingface_hub import EvalResult, ModelCardData

from rlattn.inference.card import PolicyCard
from rlattn.inference.folder import PICTURE
from rlattn.inference.record import Training
from rlattn.inference.score_table import kind_of, score_table
from rlattn.markdown import escape_markdown as shown
from rlattn.markdown import fenced

_HUB_ID = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"


def model_card(
    card: PolicyCard, repo_id: str, *, picture: bool = False, license: str | None = None
) -> str:
    """The text of ``README.md``: metadata for the hub's search, and a page for people.

    Args:
        card: What the policy says of itself. Nothing in it can become markup.
        repo_id: Where it will be.
        picture: Whether ``attention.png`` stands beside it.
        license: The identifier of a licence; left out when not given.
    """
    parts = [
        f"---\n{_metadata(card, repo_id, license).to_yaml()}\n---",
        f"# {shown(repo_id.rpartition('/')[2])}",
        _introduction(card),
    ]
    if picture:
        parts.append(f"![Native attention beside the policy's]({PICTURE})")
    scores = score_table(card.scores or card.label_scores, kind_of(card))
    use = _use(card, repo_id) if card.reading is None else _use_of_reader(card, repo_id)
    parts += ["## Scores", scores, "## How to use it", use]
    if card.training is not None:
        parts += ["## How it was trained", _training(card.training)]
    return "\n\n".join([*parts, "## Limits", _limits(card)]) + "\n"


def _metadata(card: PolicyCard, repo_id: str, license: str | None) -> ModelCardData:
    kind, scores = kind_of(card), card.scores or card.label_scores
    name = "" if card.training is None else card.training.corpus or ""
    corpus = " ".join(name.split()) or "unnamed"  # YAML reads back no line break as it was
    results = [
        EvalResult(
            task_type=kind.task,
            dataset_type=corpus,
            dataset_name=corpus,
            dataset_split=row.split,
            metric_type=measure,
            metric_name=title,
            metric_value=round(value, 4),
        )
        for row in (scores.rows if scores else ())
        if row.method == "policy"
        for measure, title in kind.measures.items()
        if (value := getattr(row, measure)) is not None
    ]
    return ModelCardData(
        base_model=card.host.name if _on_hub(card) else None,
        library_name="rlattn",
        license=license,
        pipeline_tag=kind.task,
        tags=["attention", "reinforcement-learning", "rlattn"],
        metrics=kind.metrics if results else None,
        model_name=repo_id,
        eval_results=results or None,
    )


def _on_hub(card: PolicyCard) -> bool:
    return re.fullmatch(_HUB_ID, card.host.name) is not None


def _introduction(card: PolicyCard) -> str:
    name = shown(card.host.name)
    host = f"[{name}](https://huggingface.co/{card.host.name})" if _on_hub(card) else name
    steering = "" if card.family is None else f", which steers by *{shown(card.family.steering)}*"
    kind = kind_of(card)
    if card.reading is None:
        does = "before every token that is written, it decides how the source may be"
    else:
        steps = "one step" if card.reading.steps == 1 else f"at most {card.reading.steps} steps"
        does = f"in {steps} it decides what of a text may be"
    return (
        f"An attention policy for the frozen {kind.host} {host}: {does} read. Its actions are "
        f"*{shown(card.policy.action)}*{steering}. It was learned by reinforcement learning with "
        f"rlattn; the {kind.host}'s weights are as they were."
    )


def _use(card: PolicyCard, repo_id: str) -> str:
    elsewhere = "" if _on_hub(card) or card.host.name == "embedded" else "  # or wherever it is"
    lines = [
        *_imports(card),
        f"policy = rlattn.load({repo_id!r})",
        f"host = rlattn.load_host({card.host.name!r}){elsewhere}",
        'batch = host.tokenizer(["..."], padding=True, return_tensors="pt")',
        "with policy.steer(host.model) as trace:",
        "    output = host.model.generate(**batch, max_new_tokens=64)",
        "print(host.detokenize(output.tolist()), trace.reads_fraction)",
    ]
    return fenced("\n".join(lines), "python")


def _use_of_reader(card: PolicyCard, repo_id: str) -> str:
    lines = [
        *_imports(card),
        f"policy = rlattn.load({repo_id!r})",
        'readings = policy.classify(["..."])',
        "print(readings.labels, readings.reads_fraction)",
    ]
    if not _on_hub(card):
        lines.insert(0, "from rlattn.hosts.classifier import load_classifier")
        lines[-2:-1] = [
            "# or wherever it is",
            f"host = load_classifier({card.host.name!r}, labels=policy.labels)",
            'readings = policy.classify(["..."], host)',
        ]
    return fenced("\n".join(lines), "python")


def _imports(card: PolicyCard) -> list[str]:
    lines = ["import rlattn", ""]
    if card.family is not None and not card.family.module.startswith("rlattn."):
        lines.insert(0, f"import {card.family.module}  # registers the action family")
    return lines


def _training(training: Training) -> str:
    facts = [f"{training.env_steps:,} environment steps"]
    facts += [] if training.seed is None else [f"seed {training.seed}"]
    facts += [] if training.corpus is None else [f"on {shown(training.corpus)}"]
    facts += [f"{shown(name)} {shown(number)}" for name, number in training.versions.items()]
    return f"{', '.join(facts)}.\n\n{fenced(shlex.join(training.command), 'sh')}"


def _limits(card: PolicyCard) -> str:
    return (
        "It steers the weights that it was trained on, whose fingerprint begins with "
        f"{card.host.fingerprint[:12]}, and refuses others. How it does on text unlike what it was "
        f"trained on was not measured here, and the limits of the {kind_of(card).host} are its "
        "own, too."
    )
