"""The page of a policy on the Hugging Face Hub."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from huggingface_hub import EvalResult, ModelCardData

from rlattn.inference.card import PolicyCard
from rlattn.inference.folder import PICTURE
from rlattn.inference.record import Score, Scores, Training
from rlattn.markdown import escape_markdown as shown
from rlattn.markdown import fenced

_HUB_ID = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
_MEASURES = {"bleu": "BLEU", "chrf": "chrF", "reads_fraction": "reads"}


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
    parts += ["## Scores", _table(card.scores), "## How to use it", _use(card, repo_id)]
    if card.training is not None:
        parts += ["## How it was trained", _training(card.training)]
    return "\n\n".join([*parts, "## Limits", _limits(card)]) + "\n"


def _metadata(card: PolicyCard, repo_id: str, license: str | None) -> ModelCardData:
    scores = () if card.scores is None else card.scores.rows
    name = "" if card.training is None else card.training.corpus or ""
    corpus = " ".join(name.split()) or "unnamed"  # YAML reads back no line break as it was
    results = [
        EvalResult(
            task_type="translation",
            dataset_type=corpus,
            dataset_name=corpus,
            dataset_split=row.split,
            metric_type=measure,
            metric_name=title,
            metric_value=round(getattr(row, measure), 4),
        )
        for row in scores
        if row.method == "policy"
        for measure, title in _MEASURES.items()
    ]
    return ModelCardData(
        base_model=card.host.name if _on_hub(card) else None,
        library_name="rlattn",
        license=license,
        pipeline_tag="translation",
        tags=["attention", "reinforcement-learning", "rlattn"],
        metrics=["bleu", "chrf"] if results else None,
        model_name=repo_id,
        eval_results=results or None,
    )


def _on_hub(card: PolicyCard) -> bool:
    return re.fullmatch(_HUB_ID, card.host.name) is not None


def _introduction(card: PolicyCard) -> str:
    name = shown(card.host.name)
    host = f"[{name}](https://huggingface.co/{card.host.name})" if _on_hub(card) else name
    steering = "" if card.family is None else f", which steers by *{shown(card.family.steering)}*"
    return (
        f"An attention policy for the frozen translator {host}: before every token that is "
        "written, it decides how the source may be read. Its actions are "
        f"*{shown(card.policy.action)}*{steering}. It was learned by reinforcement learning with "
        "rlattn; the translator's weights are as they were."
    )


def _table(scores: Scores | None) -> str:
    if scores is None:
        return "None came with the policy."
    lines = ["| split | method | BLEU | of native | chrF | reads | sentences |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    lines += [_line(row, scores.rows) for row in scores.rows]
    lines += ["", "In brackets: 95 % intervals. Reads: the mean share of the source left open."]
    for name, signature in scores.signatures.items():
        lines += ["", f"{shown(name)}: {shown(signature)}"]
    return "\n".join(lines)


def _line(row: Score, rows: Sequence[Score]) -> str:
    native = [r.bleu for r in rows if (r.split, r.method) == (row.split, "native")]
    share = f"{100 * row.bleu / native[0]:.1f} %" if native and native[0] else "–"
    cells = [
        shown(row.split),
        shown(row.method),
        _estimate(row.bleu, row.bleu_interval),
        share,
    ]
    cells.append(_estimate(row.chrf, row.chrf_interval))
    cells.append(_estimate(row.reads_fraction, row.reads_fraction_interval, percent=True))
    return f"| {' | '.join([*cells, f'{row.sentences:,}'])} |"


def _estimate(value: float, bounds: tuple[float, float] | None, percent: bool = False) -> str:
    scale, unit = (100, " %") if percent else (1, "")
    around = "" if bounds is None else " [{:.1f}–{:.1f}]".format(*(scale * x for x in bounds))
    return f"{scale * value:.1f}{unit}{around}"


def _use(card: PolicyCard, repo_id: str) -> str:
    lines = ["import rlattn"]
    if card.family is not None and not card.family.module.startswith("rlattn."):
        lines.insert(0, f"import {card.family.module}  # registers the action family")
    elsewhere = "" if _on_hub(card) or card.host.name == "embedded" else "  # or wherever it is"
    lines += [
        "",
        f"policy = rlattn.load({repo_id!r})",
        f"host = rlattn.load_host({card.host.name!r}){elsewhere}",
        'batch = host.tokenizer(["..."], padding=True, return_tensors="pt")',
        "with policy.steer(host.model) as trace:",
        "    output = host.model.generate(**batch, max_new_tokens=64)",
        "print(host.detokenize(output.tolist()), trace.reads_fraction)",
    ]
    return fenced("\n".join(lines), "python")


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
        "trained on was not measured here, and the limits of the translator are its own, too."
    )
