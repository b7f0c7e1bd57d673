"""The oracle writes the reference for as long as attention can make the host do so."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.agents.oracle import translate_by_oracle
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.agents.oracle.twin import Twin
from tests.hosts.tiny import SOURCE, TARGET, pairs
from tests.learning.local_host import POSITIONS, local_host

LIMITS = {"max_source": SOURCE, "max_target": TARGET}


def reachable(host: Seq2SeqHost, count: int) -> list[Pair]:
    """Sentences with what the host writes of others, so that its words come up."""
    sources = [pair.source for pair in pairs(2 * count) if len(pair.source) < 20][: count + 1]
    written = translate(host, sources, **LIMITS).texts
    return [Pair(*pair) for pair in zip(sources, written[1:], strict=False)]


@pytest.mark.parametrize("boosts", [(), (3.0,)], ids=str)
def test_it_is_what_a_slow_search_writes(each_host: Seq2SeqHost, boosts: tuple[float, ...]) -> None:
    chosen = reachable(each_host, 6)
    output = translate_by_oracle(each_host, chosen, boosts=boosts, lanes=40, **LIMITS)
    for pair, text, reads in zip(chosen, output.texts, output.reads_fraction, strict=True):
        tokens, expected = Twin(each_host, pair).write(boosts)
        assert text == each_host.detokenize([tokens])[0]
        assert reads == pytest.approx(expected)


def test_where_attention_decides_the_token_the_reference_is_written() -> None:
    host = local_host(range(POSITIONS))  # which copies, natively
    sources = ["a b c d e f", "g h", "l a k b j"]
    chosen = [Pair(text, text[::-1]) for text in sources]
    output = translate_by_oracle(host, chosen, boosts=(), max_target=POSITIONS, trace=True)
    assert output.texts == [pair.target for pair in chosen]
    assert output.texts != translate(host, sources, max_target=POSITIONS).texts
    for one, text in zip(output.alignments, sources, strict=True):
        *places, end = range(len(text.split()) + 1)
        assert one.attention.argmax(1).tolist() == [*places[::-1], end]


def test_a_word_that_cannot_be_written_ends_the_search_and_nothing_else() -> None:
    host = local_host(range(POSITIONS))  # which copies, natively
    chosen = [Pair("a b c d e", "e d k b a")]  # nowhere in the source is there a k
    output = translate_by_oracle(host, chosen, boosts=(), max_target=POSITIONS, trace=True)
    written = output.texts[0].split()
    assert written[:2] == ["e", "d"]
    assert written[3:] == ["d", "e"]
    assert output.alignments[0].opened[3:].all()


def test_what_is_the_reference_natively_is_written_and_nothing_is_changed(
    each_host: Seq2SeqHost,
) -> None:
    sources = [pair.source for pair in pairs(12)]
    native = translate(each_host, sources, **LIMITS).texts
    chosen = [Pair(*pair) for pair in zip(sources, native, strict=True)]
    output = translate_by_oracle(each_host, chosen, **LIMITS)
    for ours, theirs, reads in zip(output.texts, native, output.reads_fraction, strict=True):
        # A target that the length limit cut has another last token as a reference: the end's.
        ended = len(theirs.split()) < TARGET
        assert ours.split()[: TARGET - 1] == theirs.split()[: TARGET - 1]
        assert not ended or reads == 1.0


@pytest.mark.parametrize("lanes", [1, 30])
def test_batches_and_order_change_nothing(each_host: Seq2SeqHost, lanes: int) -> None:
    chosen = reachable(each_host, 8)
    there = translate_by_oracle(each_host, chosen, **LIMITS)
    back = translate_by_oracle(each_host, chosen[::-1], lanes=lanes, **LIMITS)
    assert back.texts[::-1] == there.texts
    assert back.reads_fraction[::-1] == there.reads_fraction


def test_a_trace_tells_where_each_sentence_looked(each_host: Seq2SeqHost) -> None:
    chosen = reachable(each_host, 6)
    output = translate_by_oracle(each_host, chosen, lanes=50, trace=True, **LIMITS)
    assert output.texts == translate_by_oracle(each_host, chosen, lanes=50, **LIMITS).texts
    for one, reads in zip(output.alignments, output.reads_fraction, strict=True):
        assert one.reads_fraction == pytest.approx(reads)
        assert np.allclose(one.attention.sum(1), 1, atol=1e-5)
        assert not one.attention[~one.opened].any()
        assert set(one.opened.sum(1).tolist()) <= {1, len(one.source)}
