"""The scores of a policy on its page, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rlattn.inference.card import PolicyCard
from rlattn.inference.record import LabelScore, LabelScores, Score, Scores
from rlattn.markdown import escape_markdown as shown


@dataclass(frozen=True)
class Kind:
    """What differs between the pages of translators' policies and of classifiers'.

    Attributes:
        host: What the host is.
        task: What the hub calls what it does.
        counted: What the host is given many of.
        read: What is read of each.
        measures: How good that is: titles by name, quality first and reads last.
        metrics: What the hub calls those of quality.
    """

    host: str
    task: str
    counted: str
    read: str
    measures: dict[str, str]
    metrics: list[str]


TRANSLATOR = Kind(
    "translator",
    "translation",
    "sentences",
    "source",
    {"bleu": "BLEU", "chrf": "chrF", "reads_fraction": "reads"},
    ["bleu", "chrf"],
)
CLASSIFIER = Kind(
    "classifier",
    "text-classification",
    "texts",
    "text",
    {"accuracy": "accuracy", "macro_f1": "macro F1", "reads_fraction": "reads"},
    ["accuracy", "f1"],
)


def kind_of(card: PolicyCard) -> Kind:
    """Of whose policy a page is."""
    return TRANSLATOR if card.reading is None else CLASSIFIER


def score_table(scores: Scores | LabelScores | None, kind: Kind) -> str:
    """The table as Markdown, with what its numbers are.

    Args:
        scores: What was measured; nothing in it can become markup.
        kind: Of whose policy.
    """
    if scores is None:
        return "None came with the policy."
    first, *others = kind.measures.values()
    heads = ["split", "method", first, "of native", *others, kind.counted]
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    lines += [_line(row, scores.rows, kind) for row in scores.rows]
    said = f"In brackets: 95 % intervals. Reads: the mean share of the {kind.read} left open."
    lines += ["", said]
    if isinstance(scores, Scores):
        for name, signature in scores.signatures.items():
            lines += ["", f"{shown(name)}: {shown(signature)}"]
    return "\n".join(lines)


def _line(row: Score | LabelScore, rows: Sequence[Score | LabelScore], kind: Kind) -> str:
    first, *others = kind.measures
    native = [getattr(r, first) for r in rows if (r.split, r.method) == (row.split, "native")]
    share = f"{100 * getattr(row, first) / native[0]:.1f} %" if native and native[0] else "–"
    cells = [shown(row.split), shown(row.method), _estimate(row, first), share]
    cells += [_estimate(row, name) for name in others]
    return f"| {' | '.join([*cells, f'{getattr(row, kind.counted):,}'])} |"


def _estimate(row: Score | LabelScore, name: str) -> str:
    value, bounds = getattr(row, name), getattr(row, f"{name}_interval")
    if value is None:
        return "–"
    scale, unit = (100, " %") if name == "reads_fraction" else (1, "")
    around = "" if bounds is None else " [{:.1f}–{:.1f}]".format(*(scale * x for x in bounds))
    return f"{scale * value:.1f}{unit}{around}"
