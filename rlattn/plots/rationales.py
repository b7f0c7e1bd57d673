"""A page of texts with what a policy read of them, in which order, and what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from rlattn.errors import InputError
from rlattn.hosts import Host
from rlattn.inference.readings import Readings
from rlattn.plots.readings_page import card, filled, label, predicted


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
        "summary": _summary(readings, verdicts, len(shown)),
        "choices": _choices([verdicts[text] for text in shown]),
    }
    start, end = filled(host, steps, parts)
    cards = (_card(host, readings, gold, native, text, verdicts[text]) for text in shown)
    return "".join([start, *(f"{each}\n" for each in cards), end])


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
    found = readings.labels[text]
    if native is None:
        return _Verdict(found == gold[text], None, False)
    own = native.labels[text]
    return _Verdict(found == gold[text], own == gold[text], found != own)


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


def _choices(shown: Sequence[_Verdict]) -> str:
    """Which texts to show, with how many there are."""
    counts = {"all": len(shown), "wrong": sum("wrong" in each.kinds for each in shown)}
    if shown[0].native is not None:
        counts["changed"] = sum(each.changed for each in shown)
    names = {"changed": "changed by the policy"}
    choices = (
        f'<label><input type="radio" name="shown" id="{kind}"{" checked" * (kind == "all")}'
        f"{' disabled' * (not count)}> {names.get(kind, kind)} ({count})</label>\n"
        for kind, count in counts.items()
    )
    return f"<fieldset><legend>show</legend>\n{''.join(choices)}</fieldset>"


def _card(
    host: Host,
    readings: Readings,
    gold: Sequence[str],
    native: Readings | None,
    text: int,
    verdict: _Verdict,
) -> str:
    facts = {"gold": label(gold[text]), "predicted": predicted(readings, text)}
    if native is not None:
        facts["native"] = predicted(native, text)
    words = f' <span class="is-{_right(verdict.right)}">{verdict.words}</span>'
    place = (text, text + 1, f"Text {text + 1}")
    return card(host, readings, *place, facts, kinds=verdict.kinds, verdict=words)


def _right(right: bool) -> str:
    return "right" if right else "wrong"


def _count(texts: int) -> str:
    return "1 text" if texts == 1 else f"{texts:,} texts"
