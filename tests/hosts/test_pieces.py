"""What single tokens say."""

from __future__ import annotations

import pytest

from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.hosts.pieces import pieces, tokens
from tests.hosts.tiny import SOURCE


@pytest.fixture(scope="module")
def embedded() -> Seq2SeqHost:
    """Its tokenizer works on bytes."""
    return load_host("embedded")


@pytest.mark.parametrize(
    "text", ["Mar 3, 1996; in 2 days", "Zürich — naïve café", "今日は月曜日", "a  b", "x"]
)
def test_pieces_are_the_text_cut_at_its_tokens(embedded: Seq2SeqHost, text: str) -> None:
    ids = embedded.tokenize([text], 64).ids[0]
    cut = pieces(embedded, ids)
    assert len(cut) == len(ids)
    assert "".join(cut) == text
    assert cut[-1] == "", "the end of the sequence"
    assert "".join(cut[:-1]) == "".join(pieces(embedded, ids[:-1]))


def test_words_keep_the_spaces_before_them(host: Seq2SeqHost) -> None:
    ids = host.tokenize(["ba be ba"], SOURCE).ids[0]
    assert pieces(host, ids) == ["ba", " be", " ba", ""]
    assert tokens(host, ids) == ["ba", "be", "ba", "</s>"]


def test_nothing_has_no_pieces(host: Seq2SeqHost) -> None:
    assert pieces(host, []) == []
    assert tokens(host, []) == []


def test_tokens_show_text_and_not_bytes(embedded: Seq2SeqHost) -> None:
    ids = embedded.tokenize(["März"], 64).ids[0]
    assert "".join(tokens(embedded, ids)).replace("Ġ", "") == "März</s>"
