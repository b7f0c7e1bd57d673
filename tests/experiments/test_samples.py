from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rlattn.experiments.samples import Sample, write_samples
from rlattn.markdown import escape_markdown


def cells(markdown: str) -> list[str]:
    """The table cells of a page as a reader sees them; a cell with anything but text fails."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    texts = []
    for before, token in pairwise(tokens):
        if before.type == "td_open":
            assert {child.type for child in token.children or []} <= {"text", "text_special"}
            texts.append("".join(child.content for child in token.children or []))
    return texts


def page(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "samples.md"
    write_samples(path, [Sample(text, "reference", "native", "policy", 0.238)])
    return cells(path.read_text(encoding="utf-8"))


def test_a_sample_shows_both_outputs_and_the_reads(tmp_path: Path) -> None:
    assert page(tmp_path, "source text") == [
        *("source", "source text"),
        *("reference", "reference"),
        *("native", "native"),
        *("policy, 24% reads", "policy"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a | b || c",
        "`code` and ``more``",
        "<b>bold</b> &amp; <script>",
        "*stars* _lines_ **both** ~~gone~~",
        "[link](http://example.org) ![image](x) [x]: y",
        "back\\slash \\| at the end\\",
        "5 $ plus 6 $",
        "# - 1. > +",
        "12 °C, 3\u202f000 €, „Größe“, 日本",
    ],
)
def test_text_is_shown_as_it_is(tmp_path: Path, text: str) -> None:
    assert page(tmp_path, text)[1] == text


def test_line_breaks_become_spaces(tmp_path: Path) -> None:
    assert page(tmp_path, "one\r\ntwo\u2028three\tfour")[1] == "one two three four"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_any_ascii_text_survives(text: str) -> None:
    shown = cells(f"| | |\n| --- | --- |\n| x | {escape_markdown(text)} |\n")
    assert shown == ["x", text]


def test_samples_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "samples.md"
    write_samples(path, [Sample(word, "r", "n", "p", 1.0) for word in ("first", "second")])
    assert cells(path.read_text(encoding="utf-8"))[1::8] == ["first", "second"]
