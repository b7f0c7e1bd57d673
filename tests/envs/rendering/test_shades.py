"""A shaded sentence is still the sentence."""

from __future__ import annotations

import re

import numpy as np

from rlattn.envs.rendering.shades import shades
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.pieces import tokens
from rlattn.inference import Alignment
from tests.hosts.tiny import SOURCE

ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
SENTENCE, WRITTEN = "ba be bi", "da de"


def show(host: Seq2SeqHost, attention: list[float], opened: list[bool]) -> str:
    source, written = host.tokenize([SENTENCE, WRITTEN], SOURCE).ids
    steps = len(written)
    return shades(
        host,
        source,
        WRITTEN,
        Alignment(
            tokens(host, source),
            tokens(host, written),
            np.vstack([np.full((steps - 1, len(source)), 0.25), attention]),
            np.vstack([np.ones((steps - 1, len(source)), bool), opened]),
        ),
    )


def test_without_its_colours_it_is_the_sentence_and_what_was_written(host: Seq2SeqHost) -> None:
    shown = show(host, [0.7, 0.2, 0.1, 0.0], [True, True, True, False])
    assert ESCAPES.search(shown)
    assert ESCAPES.sub("", shown) == f"{SENTENCE}</s>\n{WRITTEN}"


def test_before_the_first_step_nothing_is_shaded(host: Seq2SeqHost) -> None:
    source = host.tokenize([SENTENCE], SOURCE).ids[0]
    nothing = np.zeros((0, len(source)))
    alignment = Alignment(tokens(host, source), [], nothing, nothing > 0)
    assert shades(host, source, "", alignment) == f"{SENTENCE}</s>\n"


def test_more_attention_never_has_a_lighter_shade(host: Seq2SeqHost) -> None:
    weights = np.linspace(0, 1, 40)
    seen = []
    for weight in weights:
        shown = show(host, [weight, 0.0, 0.0, 1 - weight], [True] * 4)
        seen.append(shown[: shown.index("ba")])
    distinct = list(dict.fromkeys(seen))
    assert len(distinct) >= 5
    assert seen == sorted(seen, key=distinct.index), "no shade comes back"
    assert seen[0] == ""


def test_what_was_shut_is_struck_through(host: Seq2SeqHost) -> None:
    shown = show(host, [0.0, 0.5, 0.5, 0.0], [False, True, True, False])
    # Code 9 of the terminal's graphic renditions strikes letters out.
    struck = re.findall(r"\x1b\[(?:\d+;)*9m([^\x1b]*)", shown)
    assert struck == ["ba", "</s>"]
