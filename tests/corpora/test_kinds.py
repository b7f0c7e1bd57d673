"""Kinds: a row of phrases, and a mark before the one whose kind is the label."""

from __future__ import annotations

import copy
import pickle
from collections import Counter, defaultdict
from itertools import combinations

import pytest
from babel.localedata import locale_identifiers

from rlattn.actions.segments import Sentences
from rlattn.corpora import NoisyPair, labels_of, load_corpus
from rlattn.corpora.kinds import BAR, KINDS, LENGTHS, MARK, PHRASES, KindPairs, kind_corpus
from rlattn.corpora.locale import tokens
from rlattn.errors import InputError
from rlattn.hosts import load_host

LOCALES = ["en", "de", "zh_Hant", "ar", "br", "ga"]


@pytest.fixture(params=LOCALES)
def corpus(request):
    return load_corpus(f"kinds:{request.param}")


def test_the_same_settings_give_the_same_pairs_at_any_index_in_any_order(corpus):
    again = load_corpus(corpus.name)
    expected = corpus.train[:20]
    assert [again.train[index] for index in reversed(range(20))] == expected[::-1]
    assert load_corpus(corpus.name, train_size=10).train[:10] == expected[:10]
    assert load_corpus(corpus.name, seed=1).train[:20] != expected


def test_the_mark_stands_once_before_the_phrase_that_is_asked_for(corpus):
    for pair in (*corpus.train[:300], *corpus.test[:30]):
        assert isinstance(pair, NoisyPair)
        source, asked = pair.source, pair.asked
        assert source.count(MARK) == 1
        assert source[: asked.start].endswith(f"{MARK} ")
        phrases = source.replace(f"{MARK} ", "").split(BAR)
        assert source[asked] in phrases
        assert len(phrases) in PHRASES
        assert tokens(source) in LENGTHS
        assert source == " ".join(source.split())


def test_a_phrase_is_of_one_kind_and_a_text_has_no_two_of_it(corpus):
    """What the pairs ask for tells the kinds of the phrases beside it, too, where it recurs."""
    kinds = defaultdict(set)
    pairs = corpus.train[:3000]
    for pair in pairs:
        kinds[pair.source[pair.asked]].add(pair.target)
    assert all(len(said) == 1 for said in kinds.values())
    known = 0
    for pair in pairs:
        phrases = pair.source.replace(f"{MARK} ", "").split(BAR)
        found = [kind for phrase in phrases for kind in kinds.get(phrase, ())]
        assert len(set(found)) == len(found)
        known += len(found)
    assert known > len(pairs)


def test_all_kinds_are_as_likely_wherever_the_phrase_stands_and_however_many_there_are():
    pairs = load_corpus("kinds:en").train[:7000]
    counts = Counter(pair.target for pair in pairs)
    assert counts.keys() == KINDS.keys()
    assert all(400 < count < 600 for count in counts.values())
    for many in PHRASES:
        places = Counter(
            pair.source[: pair.asked.start].count(BAR)
            for pair in pairs
            if pair.source.count(BAR) == many - 1
        )
        assert places.keys() == {*range(many)}
        assert max(places.values()) < 1.5 * min(places.values())


def test_there_is_much_to_skip():
    pairs = load_corpus("kinds:en").train[:1000]
    asked = sum(tokens(pair.source[pair.asked]) for pair in pairs)
    assert asked < 0.16 * sum(tokens(pair.source) for pair in pairs)


def test_to_a_gate_by_sentences_no_two_phrases_are_one():
    host = load_host("embedded")
    pairs = load_corpus("kinds:en").train[:100]
    batch = host.tokenizer([p.source for p in pairs], padding=True, return_tensors="pt")
    segments = Sentences().fit(host).on(batch.input_ids).index(batch.attention_mask.bool())
    bars = batch.input_ids == host.tokenizer.convert_tokens_to_ids("|")
    assert bars.sum() == sum(pair.source.count("|") for pair in pairs)
    assert (segments[:, 1:] > segments[:, :-1])[bars[:, 1:]].all()


def test_the_labels_are_known_without_making_a_pair(monkeypatch):
    monkeypatch.setattr(KindPairs, "__getitem__", None)
    monkeypatch.setattr(KindPairs, "__iter__", None)
    assert labels_of(kind_corpus("en", train_size=10**12)) == tuple(sorted(KINDS))
    assert labels_of(load_corpus("noise:kinds:en")) == tuple(sorted(KINDS))


def test_no_split_shares_a_text_with_another_under_this_or_any_other_seed():
    seen = {"train": set(), "valid": set(), "test": set()}
    for seed in range(2):
        corpus = kind_corpus("en", seed=seed)
        for split, sources in seen.items():
            sources.update(pair.source for pair in getattr(corpus, split)[:500])
    for one, other in combinations(seen.values(), 2):
        assert not one & other


@pytest.mark.parametrize("name", sorted(locale_identifiers())[::40])
def test_any_locale_of_babel_works_or_is_refused(name):
    try:
        corpus = load_corpus(f"kinds:{name}")
    except InputError:  # CLDR has too few words of it
        return
    assert all(pair.source[pair.asked] for pair in corpus.train[:20])


def test_splits_survive_copying_and_pickling():
    train = load_corpus("kinds:en").train
    again = pickle.loads(pickle.dumps(train))
    assert again[:5] == copy.deepcopy(train)[:5] == train[:5]
    assert again[3].asked == train[3].asked


def test_the_fingerprint_follows_every_setting():
    corpora = [
        load_corpus("locale:en-de"),
        kind_corpus("en"),
        kind_corpus("de"),
        kind_corpus("en", seed=1),
        kind_corpus("en", train_size=10),
        kind_corpus("en", valid_size=10),
        kind_corpus("en", test_size=10),
    ]
    assert len({corpus.fingerprint for corpus in corpora}) == len(corpora)
    assert load_corpus("kinds:en").fingerprint == corpora[1].fingerprint
    assert load_corpus("kinds:EN").name == "kinds:en"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kinds:enn", "unknown locale 'enn': did you mean"),
        ("kinds:en-de", "unknown locale 'en-de'"),
        ("kinds:jbo", "jbo: CLDR has too few territories with names of their own there"),
    ],
)
def test_locales_that_will_not_do(name, message):
    with pytest.raises(InputError, match=message):
        load_corpus(name)


@pytest.mark.parametrize("sizes", [{"train_size": 0}, {"valid_size": -1}, {"test_size": 0}])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(InputError, match="each split needs a pair at least"):
        kind_corpus("en", **sizes)
