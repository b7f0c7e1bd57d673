"""Locale phrases: exact translations, without end, the same everywhere, with disjoint splits."""

from __future__ import annotations

import copy
import os
import pickle
import re
import subprocess
import sys
from contextlib import suppress
from itertools import combinations

import pytest
from babel import localedata
from babel.localedata import locale_identifiers

from rlattn.corpora import load_corpus
from rlattn.corpora.draws import Draw
from rlattn.corpora.locale import _wordings, locale_corpus
from rlattn.corpora.sentences import LISTED, PHRASES
from rlattn.corpora.stock import Stock
from rlattn.corpora.wording import Wording, own_locale
from rlattn.errors import InputError

PAIRS = ["en-de", "de-en", "en_GB-pt_BR", "zh_Hant-ja", "ru-ar", "fr-hi", "pl-he", "ko-tr", "es-fi"]
TOKENS = re.compile(r"\d|[!-/:-@–]|[^\s\d!-/:-@–]+")


@pytest.fixture(params=PAIRS)
def corpus(request):
    return load_corpus(f"locale:{request.param}")


def test_the_same_settings_give_the_same_pairs_at_any_index_in_any_order(corpus):
    again = load_corpus(corpus.name)
    expected = corpus.train[:20]
    assert [again.train[index] for index in reversed(range(20))] == expected[::-1]
    assert load_corpus(corpus.name, train_size=10).train[:10] == expected[:10]
    assert load_corpus(corpus.name, seed=1).train[:20] != expected


def test_another_process_gives_the_same_pairs():
    program = (
        "from rlattn.corpora import load_corpus; corpus = load_corpus('locale:en-de', seed=5);"
        "print(corpus.fingerprint, [*corpus.train[:50], *corpus.test[:50]])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "17", "PYTHONIOENCODING": "utf-8"},
        check=True,
        capture_output=True,
    )
    corpus = load_corpus("locale:en-de", seed=5)
    expected = f"{corpus.fingerprint} {[*corpus.train[:50], *corpus.test[:50]]}"
    assert run.stdout.decode().strip() == expected


@pytest.mark.parametrize("other", ["fy", "ig", "lrc", "ms_Arab_BN", "sw"])
def test_locales_that_were_used_before_change_nothing(other, monkeypatch):
    """Babel lets them: it resolves aliases once for all locales that share a piece of data."""
    expected = locale_corpus("en", "de").test[:200]
    monkeypatch.setattr(localedata, "_cache", {})
    _wordings.cache_clear()
    with suppress(InputError):  # CLDR has too few words of some
        assert locale_corpus("en", other).test[:50]
    assert locale_corpus("en", "de").test[:200] == expected


def test_no_split_shares_a_source_with_another_under_this_or_any_other_seed():
    seen = {"train": set(), "valid": set(), "test": set()}
    for seed in range(4):
        corpus = locale_corpus("en", "de", seed=seed, train_size=2000)
        for split, sources in seen.items():
            sources.update(pair.source for pair in getattr(corpus, split))
    for one, other in combinations(seen.values(), 2):
        assert not one & other


@pytest.mark.parametrize("name", sorted(locale_identifiers())[::40])
def test_any_locale_of_babel_works_or_is_refused(name):
    try:
        corpus = load_corpus(f"locale:en-{name}")
    except InputError:  # CLDR has too few words of it
        return
    assert all(source and target for source, target in corpus.train[:20])


def test_sentences_hardly_ever_repeat(corpus):
    sources = [pair.source for pair in corpus.train[:1000]]
    assert len(set(sources)) > 980


def test_every_pair_is_tidy_and_of_a_length_that_a_small_host_takes(corpus):
    for source, target in (*corpus.train[:300], *corpus.test[:100]):
        assert 5 <= len(TOKENS.findall(source)) <= 40
        assert len(TOKENS.findall(target)) <= 60
        for text in (source, target):
            assert text == " ".join(text.split())
            assert not re.search(r"[{}%]\(|[{}¤\u200e\u200f]|[a-z]+-[a-z]+er\b", text), text


def test_both_sides_say_the_same_number_of_phrases(corpus):
    for source, target in corpus.train[:300]:
        for mark in ("; ", ": ", " ("):
            assert source.count(mark) == target.count(mark)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_source_phrase_says_everything_that_its_translation_needs(pair):
    """A phrase never has two translations: nothing is lost on the source side."""
    source, target = (Wording(own_locale(name)) for name in pair.split("-"))
    stock = Stock.shared_by(source, target)
    for kind in dict.fromkeys((*PHRASES, *LISTED)):
        draw, translations = Draw(kind.__name__), {}
        for _ in range(3000):
            meaning = kind(draw, stock)
            text = meaning(target)
            assert translations.setdefault(meaning(source), text) == text


@pytest.mark.parametrize(
    ("pattern", "translation"),
    [
        (r"^(\d+) days ago\b", r"vor \1 Tagen"),
        (r"\b1 week ago\b", r"vor 1 Woche"),
        (r"\bin (\d+) years\b", r"in \1 Jahren"),
        (r"\bMarch ([12]?\d), (\d{4})\b", r"\1. März \2"),
        (r"€(\d\d)\.(\d\d)\b", r"\1,\2 €"),
        (r"\b3:45 PM$", "15:45"),
        (r"\b1 kilometer$", "1 Kilometer"),
        (r"\bNorway, and\b", "Norwegen und"),
    ],
)
def test_words_are_reordered_and_agree(pattern, translation):
    found = 0
    for source, target in load_corpus("locale:en-de").train[:20_000]:
        if match := re.search(pattern, source):
            found += 1
            assert match.expand(translation) in target
    assert found


def test_a_corpus_of_any_length_is_made_as_it_is_read():
    corpus = load_corpus("locale:en-de", train_size=10**12)
    assert len(corpus.train) == 10**12
    assert corpus.train[10**12 - 1] == corpus.train[-1]
    with pytest.raises(IndexError):
        corpus.train[10**12]


def test_splits_survive_copying_and_pickling():
    train = load_corpus("locale:en-de").train
    assert pickle.loads(pickle.dumps(train))[:5] == train[:5]
    assert copy.deepcopy(train)[:5] == train[:5]


def test_the_fingerprint_follows_every_setting():
    corpora = [
        locale_corpus("en", "de"),
        locale_corpus("de", "en"),
        locale_corpus("en", "fr"),
        locale_corpus("en", "de", seed=1),
        locale_corpus("en", "de", train_size=10),
        locale_corpus("en", "de", valid_size=10),
        locale_corpus("en", "de", test_size=10),
    ]
    assert len({corpus.fingerprint for corpus in corpora}) == len(corpora)
    assert locale_corpus("en", "de").fingerprint == corpora[0].fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("locale:en-dee", r"unknown locale 'dee': did you mean .*\bde\b.*pybabel --list-locales"),
        ("locale:e!-de", "unknown locale 'e!'"),
        ("locale:en-de-fr", "unknown locale 'de-fr'"),
        ("locale:en-en", "give two different locales"),
        ("locale:en-jbo", "en and jbo: CLDR has too few territories with names of their own"),
    ],
)
def test_locales_that_will_not_do(name, message):
    with pytest.raises(InputError, match=message):
        load_corpus(name)


@pytest.mark.parametrize("sizes", [{"train_size": 0}, {"valid_size": -1}, {"test_size": 0}])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(InputError, match="each split needs a pair at least"):
        locale_corpus("en", "de", **sizes)
