"""A page of texts that were classified, with what was read of them, written text by text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TextIO

from rlattn.hosts import Host
from rlattn.hosts.names import last_part
from rlattn.inference.readings import Readings
from rlattn.plots.marks import marked
from rlattn.plots.markup import escaped, template

_PLACE = re.compile(r"{{(\w+)}}")
_TEXTS = "{{texts}}\n"
_SUMMARY = "Each text has the label that it was given from what was read of it."


class ReadingsPage:
    """Writes a self-contained HTML page text by text; nothing of it is kept in memory.

    A context manager: the page is whole when its ``with`` is left. It is that of
    `rlattn.plots.rationales_page`, without what only true labels can tell.

    Args:
        file: Where to write the page, which begins at once; its encoding must be UTF-8.
        host: Whose labels and tokens they are.
        steps: In how many steps a text is read at most.
    """

    def __init__(self, file: TextIO, host: Host, steps: int) -> None:
        self._file, self._host, self._count = file, host, 0
        start, self._end = filled(host, steps, {"summary": _SUMMARY, "choices": ""})
        file.write(start)

    def add(self, readings: Readings, names: Sequence[str] | None = None) -> None:
        """Adds texts.

        Args:
            readings: What the host made of them.
            names: What stands above each; by default its number, counted from 1.
        """
        for text in range(len(readings.labels)):
            self._count += 1
            name = f"Text {self._count}" if names is None else names[text]
            facts = {"predicted": predicted(readings, text)}
            self._file.write(f"{card(self._host, readings, text, self._count, name, facts)}\n")

    def __enter__(self) -> ReadingsPage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.write(self._end)


def filled(host: Host, steps: int, parts: Mapping[str, str]) -> tuple[str, str]:
    """What stands before the texts of a page, and what behind them.

    Args:
        host: Who read.
        steps: How many steps the legend has.
        parts: ``summary`` and ``choices``, as HTML.
    """
    legend = (
        f'<li><mark style="--step:{step}">step {step}<sup>{step}</sup></mark></li>'
        for step in range(1, steps + 1)
    )
    known = {
        "title": escaped(f"What {last_part(host.name)} read"),
        "steps": str(steps),
        "legend": "\n".join(legend),
        **parts,
    }
    start, end = template("rationales.html").split(_TEXTS)
    # In one go: a name may hold what looks like a place to fill.
    return _PLACE.sub(lambda place: known[place[1]], start), end


def card(
    host: Host,
    readings: Readings,
    text: int,
    number: int,
    name: str,
    facts: Mapping[str, str],
    *,
    kinds: Sequence[str] = (),
    verdict: str = "",
) -> str:
    """One text as a page shows it.

    Args:
        host: Whose tokens they are.
        readings: What it made of some texts.
        text: Which of them.
        number: Its number on the page.
        name: What stands above it.
        facts: What stands below it by name, as HTML; what was read is added.
        kinds: The choices that show it.
        verdict: What came of it, as HTML.
    """
    tokens, opened = readings.tokens[text], readings.opened[text]
    read, title = sum(map(bool, opened)), f"text-{number}"
    told = {**facts, "read": f"{read} of {len(tokens)} tokens, {readings.reads_fraction[text]:.1%}"}
    listed = "".join(f"<div><dt>{what}</dt> <dd>{said}</dd></div>\n" for what, said in told.items())
    return (
        f'<section class="{" ".join(kinds)}" aria-labelledby="{title}">\n'
        f'<h2 id="{title}">{escaped(name)}</h2>{verdict}\n'
        f'<p class="text" dir="auto" lang="">{marked(host, tokens, opened)}</p>\n'
        f"<dl>\n{listed}</dl>\n</section>"
    )


def predicted(readings: Readings, text: int) -> str:
    """The label of a text with its probability, as HTML."""
    name = readings.labels[text]
    share = readings.probabilities[text, readings.names.index(name)]
    return f"{label(name)} {share:.1%}"


def label(name: str) -> str:
    """A label as HTML; whatever its script, it leaves what stands around it in order."""
    return f"<bdi>{escaped(name)}</bdi>"
