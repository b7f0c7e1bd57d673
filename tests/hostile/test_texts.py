"""Whatever texts are given: an output for each of them, or one clear error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.checks import check_texts
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.inference import TrainedPolicy, translate
from rlattn.reading import Reading
from tests.hostile.strategies import (
    LONG_TEXT,
    cases,
    halved_texts,
    long_texts,
    no_texts,
    numbers,
    texts,
    unicode_texts,
)
from tests.hosts.classifier.small import LABELS, small_classifier
from tests.hosts.tiny import SOURCE, tiny_host
from tests.inference.policies import strong, strong_reader

FEW = 4
"""Target tokens."""

some_texts = st.lists(texts, max_size=5)


@pytest.fixture(scope="module")
def byte_host() -> Seq2SeqHost:
    """One that knows every byte."""
    return load_host("embedded")


@pytest.fixture(scope="module")
def byte_policy(byte_host: Seq2SeqHost) -> TrainedPolicy:
    return strong(byte_host)


@pytest.fixture(scope="module")
def reader() -> TrainedPolicy:
    host = small_classifier()
    policy = strong_reader(host, Reading())
    policy._host = host
    return policy


def is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def check_translations(host: Seq2SeqHost, policy: TrainedPolicy, given: list[str]) -> None:
    found = translate(host, given, policy, max_source=SOURCE, max_target=FEW)
    assert len(found.texts) == len(found.reads_fraction) == len(given)
    assert all(isinstance(text, str) and is_unicode(text) for text in found.texts)
    assert all(0 < share <= 1 for share in found.reads_fraction)
    assert 0 <= found.truncated <= len(given)


def check_labels(policy: TrainedPolicy, given: list[str]) -> None:
    found = policy.classify(given, max_source=SOURCE)
    assert len(found.labels) == len(found.tokens) == len(found.opened) == len(given)
    assert set(found.labels) <= set(LABELS)
    assert found.probabilities.shape == (len(given), len(LABELS))
    assert np.allclose(found.probabilities.sum(-1), 1.0)
    assert all(0 < share <= 1 for share in found.reads_fraction)
    assert all(0 < len(tokens) <= SOURCE for tokens in found.tokens)


def refused_or(check: Any, given: list[str]) -> None:
    """Runs a check, unless there is half a character in a text: then that is said."""
    if all(map(is_unicode, given)):
        check(given)
    else:
        with pytest.raises(InputError, match="half a character"):
            check(given)


@cases(12)
@given(some_texts)
def test_every_text_has_a_translation(
    byte_host: Seq2SeqHost, byte_policy: TrainedPolicy, given: list[str]
) -> None:
    refused_or(lambda given: check_translations(byte_host, byte_policy, given), given)


@cases(8)
@given(some_texts)
def test_so_it_has_where_most_words_are_unknown(host: Seq2SeqHost, given: list[str]) -> None:
    policy = strong(host)
    refused_or(lambda given: check_translations(host, policy, given), given)


@cases(12)
@given(some_texts)
def test_every_text_has_a_label(reader: TrainedPolicy, given: list[str]) -> None:
    refused_or(lambda given: check_labels(reader, given), given)


@cases(3)
@given(long_texts)
def test_long_texts_are_cut(
    byte_host: Seq2SeqHost, byte_policy: TrainedPolicy, reader: TrainedPolicy, text: str
) -> None:
    assert len(text) == LONG_TEXT
    check_translations(byte_host, byte_policy, [text, "a"])
    check_labels(reader, [text, "a"])


@cases(12)
@given(unicode_texts)
def test_tokens_of_any_text_fit_and_end_as_they_should(byte_host: Seq2SeqHost, text: str) -> None:
    found = byte_host.tokenize([text], SOURCE)
    (ids,) = found.ids
    assert 1 <= len(ids) <= SOURCE
    assert ids[-1] in byte_host.eos_tokens
    assert all(0 <= token < byte_host.vocabulary for token in ids)
    assert found.truncated == (len(byte_host.tokenize([text], 1_000_000).ids[0]) > SOURCE)


@cases(8)
@given(halved_texts, st.lists(unicode_texts, max_size=3))
def test_half_a_character_is_shown_with_its_place(text: str, others: list[str]) -> None:
    with pytest.raises(InputError, match=rf"text {len(others)}: .* is half a character"):
        check_texts([*others, text])


@cases(8)
@given(no_texts, st.lists(unicode_texts, max_size=3))
def test_what_is_no_text_is_shown_with_its_place(
    host: Seq2SeqHost, reader: TrainedPolicy, value: Any, others: list[str]
) -> None:
    for run in (lambda given: translate(host, given), reader.classify):
        with pytest.raises(InputError, match=rf"text {len(others)} is .*: expected text"):
            run([*others, value])


@pytest.mark.parametrize("given", ["a text", b"a text", 3, None])
def test_a_single_text_is_no_list(host: Seq2SeqHost, reader: TrainedPolicy, given: Any) -> None:
    for run in (lambda given: translate(host, given), reader.classify):
        with pytest.raises(InputError, match=r"expected a list of texts"):
            run(given)


@pytest.mark.parametrize("form", [tuple, iter, np.array])
def test_any_other_collection_will_do(host: Seq2SeqHost, reader: TrainedPolicy, form: Any) -> None:
    given = ["ba be", "bi"]
    assert translate(host, form(given)).texts == translate(host, given).texts
    assert reader.classify(form(given)).labels == reader.classify(given).labels


@cases(16)
@given(st.sampled_from(["max_source", "max_target", "batch", "beams"]), numbers)
def test_limits_are_whole_numbers(host: Seq2SeqHost, name: str, number: Any) -> None:
    # More target tokens than the decoder has positions for are not written.
    limits = {"max_target": 2, name: number}
    if type(number) is int and 1 <= number < 2**31:
        assert len(translate(host, ["ba be"], **limits).texts) == 1
    else:
        with pytest.raises(InputError, match=rf"{name} .*: expected"):
            translate(host, ["ba be"], **limits)


@cases(8)
@given(st.sampled_from(["max_source", "batch"]), numbers)
def test_so_they_are_for_texts_to_label(reader: TrainedPolicy, name: str, number: Any) -> None:
    if type(number) is int and 1 <= number < 2**31:
        assert len(reader.classify(["ba be"], **{name: number}).labels) == 1
    else:
        with pytest.raises(InputError, match=rf"{name} .*: expected"):
            reader.classify(["ba be"], **{name: number})


@pytest.mark.parametrize("family", ["Marian", "Bart", "T5"])
def test_limits_beyond_a_hosts_positions_are_those_of_the_host(family: str) -> None:
    host = tiny_host(family)
    long = ["ba be " * 100]
    found = translate(host, long, strong(host), max_source=1_000, max_target=200)
    assert len(found.texts) == 1
    if host.max_source is not None:
        exact = translate(host, long, strong(host), max_source=64, max_target=64)
        assert (found.texts, found.truncated) == (exact.texts, 1)
