"""A page of texts with what a policy read of them, in which order, and what came of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from rlattn.errors import InputError
from rlattn.hosts import Host
from rlattn.inference.readings import Readings
from rlattn.plots.marks import marked
from rlattn.plots.markup import escaped, template


class _Verdict(NamedTuple):
    """What came of one text.

    Attributes:
        right: Whether its label is the gold one.
        native: Whether the host's own is; None where that is not known.
        changed: Whether the two differ.
    """

    right: bool
    native: bool | None
    changed: bool

    @property
    def words(self) -> str:
        """It in words."""
        said = f"✓ {_right(True)}" if self.right else f"✗ {_right(False)}"
        if self.native is None:
            return said
        return f"{said}, natively {'too' if self.native == self.right else _right(self.native)}"

    @property
    def kinds(self) -> list[str]:
        """The choices on the page that show it, beside all."""
        return [*["wrong"] * (not self.right), *["changed"] * self.changed]


def rationales_page(
    host: Host,
    readings: Readings,
    gold: Sequence[str],
    *,
    native: Readings | None = None,
    limit: int = 50,
) -> str:
    """A self-contained HTML page of texts with what was read of them marked.

    Each mark has the number of the step that opened it. Above the texts is a summary of all of
    them, and a choice of those that are wrong, or whose label the policy changed. The page loads
    and runs nothing, and whatever texts and labels hold is shown as text.

    A few texts have to show what there is. So these take turns, each in its order: wrong where the
    host is natively right, right where it is not, wrong both ways, right both ways.

    Args:
        host: Whose tokens they are.
        readings: What it made of the texts, and what was read of them.
        gold: The true label of each text.
        native: What it made of the same texts when it read all.
        limit: The most texts to show.

    Returns:
        HTML, to be saved as UTF-8.

    Raises:
        InputError: If there is no text or none is to be shown, or labels or native readings are not
            one for each text.
    """
    _check(readings, gold, native, limit)
    verdicts = [_verdict(readings, gold, native, text) for text in range(len(gold))]
    shown = _in_turns(verdicts)[:limit]
    steps = max((step for text in shown for step in readings.opened[text]), default=0)
    parts = {
        "title": escaped(f"What {host.name} read"),
        "summary": _summary(readings, verdicts, len(shown)),
        "legend": "\n".join(_legend(step) for step in range(1, steps + 1)),
        "steps": str(steps),
        "choices": "\n".join(_choices([verdicts[text] for text in shown])),
        "texts": "\n".join(
            _card(host, readings, gold, native, text, verdicts[text]) for text in shown
        ),
    }
    # In one go: a text may hold what looks like a place to fill.
    return re.sub(r"{{(\w+)}}", lambda place: parts[place[1]], template("rationales.html"))


def _check(readings: Readings, gold: Sequence[str], native: Readings | None, limit: int) -> None:
    texts = len(readings.labels)
    if not texts or limit < 1:
        raise InputError(
            f"nothing to show: {texts} texts, of which at most {limit} were asked for; give at "
            "least one of each"
        )
    for name, given in (("gold", gold), ("native", native.labels if native else gold)):
        if len(given) != texts:
            raise InputError(
                f"{texts} texts were read, and there are {len(given)} {name} labels; expected one "
                "for each text, in the same order"
            )


def _verdict(
    readings: Readings, gold: Sequence[str], native: Readings | None, text: int
) -> _Verdict:
    label = readings.labels[text]
    if native is None:
        return _Verdict(label == gold[text], None, False)
    own = native.labels[text]
    return _Verdict(label == gold[text], own == gold[text], label != own)


def _in_turns(verdicts: Sequence[_Verdict]) -> list[int]:
    """The numbers of the texts, from 0, in the order in which they are shown."""
    alike = defaultdict[tuple[bool, bool], list[int]](list)
    for text, verdict in enumerate(verdicts):
        alike[verdict.right == verdict.native, verdict.right].append(text)
    rounds = zip_longest(*(alike[key] for key in sorted(alike)))
    return [text for each in rounds for text in each if text is not None]


def _summary(readings: Readings, verdicts: Sequence[_Verdict], shown: int) -> str:
    texts, reads = len(verdicts), float(np.mean(readings.reads_fraction))
    said = f"{_count(texts)}: {np.mean([each.right for each in verdicts]):.1%} right"
    if verdicts[0].native is not None:
        said += f", natively {np.mean([bool(each.native) for each in verdicts]):.1%}"
    said += f"; {reads:.1%} of a text was read on average."
    if readings.truncated:
        said += f" {_count(readings.truncated)} had more tokens than allowed; the rest was cut off."
    if shown < texts:
        said += f" Shown are {shown:,} of them, in which right and wrong take turns."
    return said


def _legend(step: int) -> str:
    return f'<li><mark style="--step:{step}">step {step}<sup>{step}</sup></mark></li>'


def _choices(shown: Sequence[_Verdict]) -> list[str]:
    """Which texts to show, with how many there are."""
    counts = {"all": len(shown), "wrong": sum("wrong" in each.kinds for each in shown)}
    if shown[0].native is not None:
        counts["changed"] = sum(each.changed for each in shown)
    names = {"changed": "changed by the policy"}
    return [
        f'<label><input type="radio" name="shown" id="{kind}"{" checked" * (kind == "all")}'
        f"{' disabled' * (not count)}> {names.get(kind, kind)} ({count})</label>"
        for kind, count in counts.items()
    ]


def _card(
    host: Host,
    readings: Readings,
    gold: Sequence[str],
    native: Readings | None,
    text: int,
    verdict: _Verdict,
) -> str:
    tokens, opened = readings.tokens[text], readings.opened[text]
    read, title = sum(map(bool, opened)), f"text-{text + 1}"
    facts = {"gold": _label(gold[text]), "predicted": _predicted(readings, text)}
    if native is not None:
        facts["native"] = _predicted(native, text)
    facts["read"] = f"{read} of {len(tokens)} tokens, {readings.reads_fraction[text]:.1%}"
    listed = "".join(
        f"<div><dt>{name}</dt> <dd>{said}</dd></div>\n" for name, said in facts.items()
    )
    right = _right(verdict.right)
    return (
        f'<section class="{" ".join(verdict.kinds)}" aria-labelledby="{title}">\n'
        f'<h2 id="{title}">Text {text + 1}</h2> <span class="is-{right}">{verdict.words}</span>\n'
        f'<p class="text" dir="auto" lang="">{marked(host, tokens, opened)}</p>\n'
        f"<dl>\n{listed}</dl>\n</section>"
    )


def _predicted(readings: Readings, text: int) -> str:
    label = readings.labels[text]
    share = readings.probabilities[text, readings.names.index(label)]
    return f"{_label(label)} {share:.1%}"


def _label(label: str) -> str:
    return f"<bdi>{escaped(label)}</bdi>"


def _right(right: bool) -> str:
    return "right" if right else "wrong"


def _count(texts: int) -> str:
    return "1 text" if texts == 1 else f"{texts:,} texts"
