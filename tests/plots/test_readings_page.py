"""A page that is written text by text has the cards of one that is made at once."""

from __future__ import annotations

import re
from io import StringIO

import numpy as np

from rlattn.inference.readings import Readings
from rlattn.plots import ReadingsPage, rationales_page
from tests.plots.readings import Shown, byte_host, readings

TEXTS = ["a film", "so “naïve” 今日は", "</p><script>{{texts}}", ""]
LABELS = ["good", "bad", "fair", "bad"]
HOST = byte_host()


def part(given: Readings, rows: slice) -> Readings:
    return Readings(
        given.names,
        given.labels[rows],
        given.probabilities[rows],
        given.tokens[rows],
        given.opened[rows],
        given.reads_fraction[rows],
        0,
    )


def written(*parts: Readings, names: list[str] | None = None) -> str:
    text = StringIO()
    with ReadingsPage(text, HOST, steps=4) as page:
        for each in parts:
            page.add(each, names)
    return text.getvalue()


def test_its_cards_are_those_of_the_page_of_rationales_but_for_the_truth() -> None:
    given = readings(HOST, TEXTS, LABELS)
    page = rationales_page(HOST, given, LABELS)
    known = re.sub(r' <span class="is-right">.*</span>|<div><dt>gold</dt>.*</div>\n', "", page)
    cards = re.compile("<section.*</section>", re.DOTALL)
    assert cards.findall(written(given)) == cards.findall(known)


def test_how_texts_are_handed_over_does_not_matter() -> None:
    given = readings(HOST, TEXTS, LABELS)
    parts = [part(given, slice(n, n + 1)) for n in range(len(TEXTS))]
    assert np.unique([written(given), written(*parts)]).size == 1


def test_texts_have_the_names_that_they_are_given() -> None:
    page = Shown(written(readings(HOST, ["ba", "be"], ["bad", "bad"]), names=["line 3", "<b>"]))
    assert "line 3" in page.cards[0]
    assert "<b>" in page.cards[1]


def test_nothing_can_be_chosen_and_nothing_runs() -> None:
    page = Shown(written(readings(HOST, TEXTS, LABELS)))
    assert not {"fieldset", "input", "script"} & set(page.names)
