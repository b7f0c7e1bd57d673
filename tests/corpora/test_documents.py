"""Documents: many sentences, of which the few that are marked are translated."""

from __future__ import annotations

import copy
import pickle
from itertools import combinations, count

import pytest
from transformers import AutoTokenizer

from rlattn.actions.segments import Sentences
from rlattn.corpora import Pair, load_corpus
from rlattn.corpora.documents import LENGTHS, MARKS, document_corpus
from rlattn.corpora.locale import LocalePairs, tokens
from rlattn.errors import InputError
from rlattn.hosts import load_host
from rlattn.hosts.builtin import embedded_host

PAIRS = ["en-de", "de-en", "zh_Hant-ja", "ru-ar", "fr-hi"]


@pytest.fixture(params=PAIRS)
def corpus(request):
    return load_corpus(f"documents:{request.param}")


def sentences(text):
    """The sentences of a source, with their marks and without their points."""
    assert text.endswith(".")
    return text.removesuffix(".").split(". ")


def asked(text):
    """The sentences with a mark, without it, by their mark."""
    marked = [part.split(" ", 1) for part in sentences(text) if part.startswith(MARKS)]
    return dict(marked)


def test_the_same_settings_give_the_same_pairs_at_any_index_in_any_order(corpus):
    again = load_corpus(corpus.name)
    expected = corpus.train[:10]
    assert [again.train[index] for index in reversed(range(10))] == expected[::-1]
    assert load_corpus(corpus.name, train_size=5).train[:5] == expected[:5]
    assert load_corpus(corpus.name, seed=1).train[:10] != expected


def test_the_target_is_the_translations_of_the_marked_sentences_in_their_order(monkeypatch):
    drawn = ((f"sentence {n}", f"Satz {n}") for n in count(1))
    monkeypatch.setattr(LocalePairs, "drawn", lambda self, draw: Pair(*next(drawn)))
    for source, target in document_corpus("en", "de", train_size=50).train:
        marked = asked(source)
        assert 2 <= len(marked) <= 4
        assert tuple(marked) == MARKS[: len(marked)]
        numbers = [text.removeprefix("sentence ") for text in marked.values()]
        assert target == " ".join(f"{m} Satz {n}." for m, n in zip(marked, numbers, strict=True))


def test_a_point_ends_a_sentence_and_stands_nowhere_else(corpus):
    for source, _ in corpus.train[:20]:
        assert source.count(".") == len(sentences(source))
        assert not set("!?…。！？") & set(source)  # noqa: RUF001
        assert source == " ".join(source.split())


def test_documents_are_long_and_little_of_them_is_asked_for(corpus):
    pairs = corpus.train[:60]
    lengths = [tokens(pair.source) for pair in pairs]
    assert LENGTHS[0] <= min(lengths) < 500
    assert 800 < max(lengths) <= LENGTHS[1]
    read = sum(tokens(text) for pair in pairs for text in asked(pair.source).values())
    assert read / sum(lengths) < 0.1


def test_lengths_can_be_other_ones():
    corpus = load_corpus("documents:en-de:60-150", train_size=300)
    lengths = [tokens(pair.source) for pair in corpus.train]
    assert min(lengths) >= 60
    assert max(lengths) <= 150


def test_to_the_embedded_host_they_have_400_to_1000_tokens_in_sentences_that_gates_can_share():
    tokenizer = AutoTokenizer.from_pretrained(embedded_host(), model_max_length=1024)
    pairs = load_corpus("documents:en-de").train[:100]
    batch = tokenizer([pair.source for pair in pairs], padding=True, return_tensors="pt")
    mask = batch.attention_mask.bool()
    assert mask.sum(1).min() >= 400
    assert mask.sum(1).max() <= 1000
    parts = Sentences().fit(load_host("embedded")).on(batch.input_ids)
    assert parts.present(mask).sum(1).tolist() == [
        len(sentences(pair.source)) + 1
        for pair in pairs  # and the end of the sequence
    ]


def test_no_split_shares_a_sentence_with_another_under_this_or_any_other_seed():
    seen = {"train": set(), "valid": set(), "test": set()}
    for seed in range(2):
        corpus = document_corpus("en", "de", seed=seed, valid_size=15, test_size=15)
        phrases = load_corpus("locale:en-de", seed=seed)
        for split, known in seen.items():
            for source, _ in getattr(corpus, split)[:15]:
                known.update(sentences(source), asked(source).values())
            known.update(pair.source for pair in getattr(phrases, split)[:300])
    for one, other in combinations(seen.values(), 2):
        assert not one & other


def test_documents_of_any_number_are_made_as_they_are_read():
    corpus = load_corpus("documents:en-de", train_size=10**12)
    assert corpus.train[10**12 - 1] == corpus.train[-1]
    with pytest.raises(IndexError):
        corpus.train[10**12]


def test_shorter_documents_are_more_so_that_there_are_as_many_words():
    assert len(load_corpus("documents:en-de").train) == 10_000
    assert len(load_corpus("documents:en-de:100-225").train) == 40_000


def test_splits_survive_copying_and_pickling():
    train = document_corpus("en", "de", lengths=(60, 150)).train
    assert pickle.loads(pickle.dumps(train))[:5] == train[:5]
    assert copy.deepcopy(train)[:5] == train[:5]


def test_the_fingerprint_follows_every_setting():
    corpora = [
        load_corpus("locale:en-de"),
        document_corpus("en", "de"),
        document_corpus("de", "en"),
        document_corpus("en", "de", seed=1),
        document_corpus("en", "de", train_size=10),
        document_corpus("en", "de", valid_size=10),
        document_corpus("en", "de", test_size=10),
        document_corpus("en", "de", lengths=(60, 150)),
    ]
    assert len({corpus.fingerprint for corpus in corpora}) == len(corpora)
    assert document_corpus("en", "de").fingerprint == corpora[1].fingerprint


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("documents:en-dee", "unknown locale 'dee'"),
        ("documents:en-en", "give two different locales"),
        ("documents:en", "expected one like documents:en-de"),
        ("documents:en-de:", "expected the fewest and the most words, such as 60-150"),
        ("documents:en-de:60", "expected the fewest and the most words, such as 60-150"),
        ("documents:en-de:60-61", "documents of 60 to 61 words: expected"),
        ("documents:en-de:9-90", "documents of 9 to 90 words: expected at least 50"),
    ],
)
def test_names_that_will_not_do(name, message):
    with pytest.raises(InputError, match=message):
        load_corpus(name)


@pytest.mark.parametrize("sizes", [{"train_size": 0}, {"valid_size": -1}, {"test_size": 0}])
def test_sizes_must_be_positive(sizes):
    with pytest.raises(InputError, match="each split needs a pair at least"):
        document_corpus("en", "de", **sizes)
