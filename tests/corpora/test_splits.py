"""The splits of a corpus never share a source sentence, whatever is put in."""

from __future__ import annotations

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from rlattn.corpora import Pair, ParallelCorpus, build_corpus
from rlattn.corpora.base import sentence_key
from rlattn.errors import InputError

# Few words and odd spacing, so that splits meet often.
sentences = st.text("ab \t\u00a0", min_size=1, max_size=4).filter(str.strip)
splits = st.lists(st.builds(Pair, sentences, st.just("x")), min_size=1, max_size=30)


def sources(pairs) -> set[str]:
    return {sentence_key(pair.source) for pair in pairs}


def assert_disjoint(corpus: ParallelCorpus) -> None:
    train, valid, test = map(sources, (corpus.train, corpus.valid, corpus.test))
    assert not train & valid
    assert not train & test
    assert not valid & test


@given(train=splits, valid=st.none() | splits, test=st.none() | splits)
def test_no_two_splits_share_a_source(train, valid, test):
    try:
        corpus = build_corpus("some", train, valid, test)
    except InputError:
        reject()  # too few different sentences for three splits
    assert_disjoint(corpus)
    if test is not None:
        assert list(corpus.test) == test
    if valid is not None and test is not None:
        assert len(corpus.train) + corpus.dropped == len(train)


def test_spacing_does_not_hide_a_shared_source():
    train = [Pair("a  b", "1"), Pair("c", "2"), Pair("c", "3")]
    corpus = build_corpus("some", train, [Pair("v", "5")], [Pair("a\u00a0b", "6")])
    assert corpus.train == (Pair("c", "2"), Pair("c", "3"))
    assert corpus.dropped == 1


def numbered(count: int) -> list[Pair]:
    return [Pair(f"s{number}", f"t{number}") for number in range(count)]


@pytest.mark.parametrize(("count", "held_out"), [(3, 1), (400, 10), (50_000, 1_000)])
def test_held_out_splits_have_a_fortieth_of_the_sources_within_bounds(count, held_out):
    corpus = build_corpus("some", numbered(count))
    assert len(corpus.test) == held_out
    assert abs(len(corpus.valid) - held_out) <= 1
    assert corpus.dropped == 0
    assert sources(corpus.train) | sources(corpus.valid) | sources(corpus.test) == sources(
        numbered(count)
    )


def test_held_out_sentences_do_not_depend_on_the_order_of_the_text():
    forwards, backwards = build_corpus("a", numbered(200)), build_corpus("a", numbered(200)[::-1])
    assert set(forwards.test) == set(backwards.test)
    assert set(forwards.valid) == set(backwards.valid)


def test_all_translations_of_a_held_out_source_move_together():
    corpus = build_corpus("some", [*numbered(50), *numbered(50)])
    assert len(corpus.test) == 2 * len(sources(corpus.test))


def test_train_size_keeps_the_first_pairs():
    whole, short = build_corpus("a", numbered(100)), build_corpus("a", numbered(100), train_size=7)
    assert short.train == whole.train[:7]
    assert short.test == whole.test
    assert short.fingerprint != whole.fingerprint


def test_the_fingerprint_is_of_the_content():
    one = build_corpus("one", numbered(10))
    assert build_corpus("other", numbered(10)).fingerprint == one.fingerprint
    changed = [Pair(source, target + "!") for source, target in numbered(10)]
    assert build_corpus("one", changed).fingerprint != one.fingerprint


@pytest.mark.parametrize("train", [[], numbered(1), numbered(2)])
def test_too_little_text_is_refused(train):
    with pytest.raises(InputError, match="no pair is left for the"):
        build_corpus("some", train)


def test_train_size_must_be_positive():
    with pytest.raises(InputError, match="train_size is 0"):
        build_corpus("some", numbered(10), train_size=0)
