"""Corpora by name."""

from __future__ import annotations

import pytest

from rlattn.corpora import load_corpus
from rlattn.errors import InputError


def test_a_locale_corpus_by_name():
    corpus = load_corpus("locale:en-de", seed=3, train_size=10)
    assert corpus.name == "locale:en-de"
    assert len(corpus.train) == 10


def test_documents_by_name():
    corpus = load_corpus("documents:en-de", seed=3, train_size=10)
    assert corpus.name == "documents:en-de"
    assert len(corpus.train) == 10


def test_a_name_with_lengths_gives_the_corpus_of_that_name():
    assert load_corpus("documents:en-de:60-150").name == "documents:en-de:60-150"


@pytest.mark.parametrize(
    "name", ["", "en-de", "europarl", "hub:", "tsv:", "csv:", "kinds:", "Locale:en-de"]
)
def test_unknown_names_say_what_there_is(name):
    with pytest.raises(InputError, match=r"locale:SOURCE-TARGET, documents:SOURCE.* or hub:DATA"):
        load_corpus(name)


@pytest.mark.parametrize("name", ["locale:", "locale:en", "locale:en-", "locale:-de"])
def test_a_locale_corpus_needs_two_locales(name):
    with pytest.raises(InputError, match="expected one like locale:en-de"):
        load_corpus(name)
