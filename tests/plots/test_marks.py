"""Texts whose tokens are marked by the step that opened them."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from unicodedata import category, normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlattn.hosts import Host
from rlattn.plots.marks import marked
from rlattn.plots.markup import escaped
from tests.hosts.classifier.small import UNK, small_classifier
from tests.hosts.tiny import WORDS
from tests.plots.readings import Shown, byte_host, some_steps

BYTES, WHOLE_WORDS = byte_host(), small_classifier()
SEEDS = st.integers(0, 99)


def ids_of(host: Host, text: str) -> list[int]:
    return host.tokenize([text], 999).ids[0]


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=25), SEEDS)
def test_what_shows_is_the_text(text: str, seed: int) -> None:
    ids = ids_of(BYTES, text)
    shown = Shown(marked(BYTES, ids, some_steps(ids, seed)))
    assert shown.texts == [unescape(escaped(BYTES.detokenize([ids])[0]))]
    assert all(number == step for number, step in shown.numbers)


def is_plain(text: str) -> bool:
    """Whether nothing in a text combines; the tokenizer takes some characters apart."""
    return not any(category(character).startswith("M") for character in normalize("NFC", text))


PLAIN = st.text(
    st.characters(exclude_categories=["C", "Sk"], exclude_characters="\ufffd"), max_size=25
).filter(is_plain)


@settings(deadline=None, max_examples=60)
@given(PLAIN, SEEDS)
def test_a_character_was_read_once_any_of_its_bytes_was(text: str, seed: int) -> None:
    ids = ids_of(BYTES, text)
    opened = some_steps(ids, seed)
    shown = Shown(marked(BYTES, ids, opened)).marks[0]
    assert inked(shown) == inked(by_bytes(ids, opened))


def by_bytes(ids: Sequence[int], opened: Sequence[int]) -> list[tuple[str, int]]:
    """Each character with its step, counted along the bytes; no token here is special."""
    tokens = BYTES.tokenizer.convert_ids_to_tokens(ids)
    steps = [step for token, step in zip(tokens, opened, strict=True) for _ in token]
    if set(ids) & set(BYTES.tokenizer.all_special_ids):
        return []  # the text was empty
    found, at = [], 0
    for character in BYTES.tokenizer.decode(ids):
        end = at + len(character.encode())
        found.append((character, min(filter(None, steps[at:end]), default=0)))
        at = end
    assert at == len(steps)
    return found


def inked(characters: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(character, step) for character, step in characters if character.strip()]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([*WORDS, "?"]), min_size=1, max_size=9), SEEDS)
def test_each_word_has_its_step_and_unknown_ones_a_name(words: list[str], seed: int) -> None:
    ids = ids_of(WHOLE_WORDS, " ".join(words))
    opened = some_steps(ids, seed)
    shown = Shown(marked(WHOLE_WORDS, ids, opened))
    known = [(word, step) for word, step in zip(words, opened, strict=True) if word != "?"]
    assert inked(shown.marks[0]) == [(letter, step) for word, step in known for letter in word]
    assert shown.tokens[0] == [
        ("<unk>", step) for token, step in zip(ids, opened, strict=True) if token == UNK
    ]


def test_neighbours_of_one_step_share_a_mark_and_spaces_stay_outside() -> None:
    ids = ids_of(WHOLE_WORDS, "ba be bi bo bu da")
    assert marked(WHOLE_WORDS, ids, [0, 2, 2, 1, 0, 0]) == (
        'ba <mark style="--step:2">be bi<sup>2</sup></mark> '
        '<mark style="--step:1">bo<sup>1</sup></mark> bu da'
    )


@pytest.mark.parametrize("text", ["e\u0323\u0302\u0323", "नि", "👩🏽\u200d🚀"])
def test_what_combines_stays_together(text: str) -> None:
    ids = ids_of(BYTES, f"x{text}y")
    opened = [*range(2, len(ids) + 1), 0]
    steps = [step for _, step in Shown(marked(BYTES, ids, opened)).marks[0]]
    combined = steps[1:-1]
    assert steps[0] == 2
    assert set(combined) == {3}
    assert steps[-1] == 0


def test_no_half_of_a_character_shows() -> None:
    ids = ids_of(BYTES, "ž“")
    assert len(ids) > 2
    for read in range(len(ids)):
        assert "\ufffd" not in marked(BYTES, ids, [int(place == read) for place in range(len(ids))])


def test_a_character_that_was_cut_in_two_keeps_its_mark() -> None:
    ids = ids_of(BYTES, "x👩")[:-1]
    shown = Shown(marked(BYTES, ids, [0] * (len(ids) - 1) + [3]))
    assert shown.marks == [[("x", 0), ("\ufffd", 3)]]


def test_a_space_that_was_read_alone_has_a_sign() -> None:
    ids = ids_of(BYTES, "z\n\nz")
    opened = [int(token not in (ids[0], ids[-1])) for token in ids]
    shown = Shown(marked(BYTES, ids, opened))
    assert shown.tokens == [[("␣", 1)]]
    assert shown.texts == ["z\n\nz"]


def test_a_text_without_tokens_is_nothing() -> None:
    assert marked(BYTES, [], []) == ""


def test_what_cannot_be_seen_has_a_sign() -> None:
    assert escaped("a\0\x1b\x7f\x85\ud800\tb\n") == "a␀␛␡\\x85\\ud800\tb\n"
    assert escaped("<b class=\"x\" id='y'>&") == (
        "&lt;b class=&quot;x&quot; id=&#x27;y&#x27;&gt;&amp;"
    )
