"""Labels: the few targets of a corpus, in an order that does not depend on its rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.corpora import Pair, build_corpus, labels_of, load_corpus, noisy_corpus
from rlattn.corpora.labels import MOST_LABELS
from rlattn.corpora.made import MadePairs
from rlattn.errors import InputError


def labelled(train, valid=("a",), test=("a",)):
    """A corpus of texts with these labels, all different."""
    return build_corpus(
        "some",
        *(
            [Pair(f"{split} {n}", label) for n, label in enumerate(labels)]
            for split, labels in (("train", train), ("valid", valid), ("test", test))
        ),
    )


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b", "c"],
        ["negative", "neutral", "positive"],
        ["1", "2", "10"],
        ["-1", "0", "0.5", "1"],
        ["1 star", "2 stars", "10 stars"],
        ["Ham", "ham", "HAM 2", "ham 10", "spam"],
        ["7", "level 7"],
        ["false", "true"],
    ],
)
def test_labels_are_in_their_natural_order_whatever_that_of_the_rows(labels):
    ends = labels[:1], labels[:1]
    assert labels_of(labelled(labels, *ends)) == tuple(labels)
    assert labels_of(labelled([*labels[::-1], *labels], *ends)) == tuple(labels)


@given(st.lists(st.text(min_size=1, max_size=5), min_size=2, unique=True))
def test_any_text_can_be_a_label(labels):
    found = labels_of(labelled(labels, labels[:1], labels[:1]))
    assert sorted(found) == sorted(labels)
    assert labels_of(labelled(labels[::-1], labels[:1], labels[:1])) == found


def test_one_label_is_nothing_to_tell_apart():
    with pytest.raises(InputError, match="all 3 training texts have the label 'a'; expected at"):
        labels_of(labelled("aaa"))


@pytest.mark.parametrize(("split", "name"), [("valid", "validation"), ("test", "test")])
def test_a_label_that_is_not_learned_is_named_with_its_split_and_how_many_there_are(split, name):
    corpus = labelled("abab", **{split: "abcc"})
    with pytest.raises(InputError, match=f"some: 2 of 4 {name} texts .*: 'c'; known are 'a', 'b'"):
        labels_of(corpus)


def test_of_many_labels_the_first_are_named():
    corpus = labelled([*map(str, range(20))], valid=["x"], test=["0"])
    with pytest.raises(InputError, match=r"known are '0', '1', .* '9' and 10 more"):
        labels_of(corpus)


def test_translations_are_no_labels():
    with pytest.raises(InputError, match=r"locale:en-de: there are more than 1,000 targets, such"):
        labels_of(load_corpus("locale:en-de", train_size=10**12))
    many = [*map(str, range(MOST_LABELS))]
    assert labels_of(labelled(many, "0", "0")) == tuple(many)


def test_pairs_are_not_made_for_their_labels(monkeypatch):
    plain = labelled("abab")
    corpus = noisy_corpus(plain)
    monkeypatch.setattr(MadePairs, "__iter__", None)
    monkeypatch.setattr(MadePairs, "__getitem__", None)
    assert labels_of(corpus) == labels_of(plain) == ("a", "b")
