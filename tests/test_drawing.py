"""Tokens as people read them; what draws with them is tested where it is drawn."""

from __future__ import annotations

import pytest

from rlattn.drawing import readable_tokens


@pytest.mark.parametrize(
    ("tokens", "shown"),
    [
        (["▁Mon", "day", ",", "</s>"], ["Mon", "·day", ",", "</s>"]),
        (["ĠMon", "day"], ["Mon", "·day"]),
        (["▁", "2", "4"], ["␣", "·2", "·4"]),
        (["a", "b"], ["a", "b"]),  # nothing marks the start of words: every token is one
        (["▁Donaudampfschiff"], ["Donaudampfsch…"]),
        ([], []),
    ],
)
def test_tokens_are_shown_as_words_and_their_continuations(
    tokens: list[str], shown: list[str]
) -> None:
    assert readable_tokens(tokens) == shown
