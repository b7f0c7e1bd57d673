"""Noise puts another sentence beside each source, and says which part is asked for."""

from __future__ import annotations

import copy
import pickle

import pytest

from rlattn.corpora import Layout, NoisyPairs, Pair, load_corpus, noisy_corpus
from rlattn.errors import InputError

PLAIN = [Pair(f"source {number}", f"target {number}") for number in range(200)]
LAYOUTS = [
    Layout(),
    Layout("before"),
    Layout("behind"),
    Layout("either", "<>"),
    Layout("before", ""),
]


@pytest.fixture(params=LAYOUTS, ids=str)
def layout(request):
    return request.param


PLACED = LAYOUTS[0]


def noisy(layout=PLACED, seed=0, split="train"):
    return NoisyPairs(PLAIN, split, seed, layout)


def test_the_span_is_the_sentence_that_is_asked_for_and_the_target_stays(layout):
    pairs = noisy(layout)
    for plain, pair in zip(PLAIN, pairs, strict=True):
        assert pair.target == plain.target
        assert pair.source[pair.asked] == plain.source


def test_what_else_stands_there_is_the_marker_and_another_sentence_of_the_split(layout):
    pairs, sources = noisy(layout), {pair.source for pair in PLAIN}
    for index, pair in enumerate(pairs):
        span = pair.asked
        before, behind = pair.source[: span.start].split(), pair.source[span.stop :].split()
        rest = before + behind
        if layout.marker:
            assert rest.count(layout.marker) == 1
            at_end = behind[:1] if layout.place == "behind" else before[-1:]
            assert at_end == [layout.marker], "right before it, or right behind it"
            rest.remove(layout.marker)
        other = " ".join(rest)
        assert other in sources
        assert other != PLAIN[index].source


@pytest.mark.parametrize(
    ("place", "low", "high"), [("before", 0, 0), ("behind", 1, 1), ("either", 0.3, 0.7)]
)
def test_the_other_sentence_stands_where_it_was_asked_to(place, low, high):
    pairs = noisy(Layout(place))
    first = [pair.source[: pair.asked.start] in ("", "= ") for pair in pairs]
    assert low <= sum(first) / len(first) <= high


def test_seed_split_and_index_alone_decide():
    pairs = list(noisy())
    again = pickle.loads(pickle.dumps(noisy()))
    assert [again[index] for index in reversed(range(len(PLAIN)))] == pairs[::-1]
    assert list(noisy(seed=1)) != pairs
    assert list(noisy(split="valid")) != pairs
    assert [noisy()[index].asked for index in (-1, 3)] == [again[199].asked, again[3].asked]


def test_a_pair_is_a_tuple_like_any_other_and_a_copy_of_it_knows_what_is_asked_for():
    pair = noisy()[7]
    source, target = pair
    assert pair == Pair(source, target)
    assert pickle.loads(pickle.dumps(pair)).asked == copy.copy(pair).asked == pair.asked


def test_every_split_of_a_corpus_is_noisy_and_named():
    plain = load_corpus("locale:en-de", train_size=50)
    corpus = load_corpus("noise:locale:en-de", train_size=50)
    assert corpus.name == "noise:locale:en-de"
    for split in ("train", "valid", "test"):
        first, noise = getattr(plain, split), getattr(corpus, split)
        assert isinstance(noise, NoisyPairs)
        assert len(noise) == len(first)
        assert noise[7].source[noise[7].asked] == first[7].source


def test_settings_change_the_fingerprint_and_names_can_say_the_place():
    plain = load_corpus("locale:en-de", train_size=50)
    found = [
        noisy_corpus(plain, layout, seed=seed).fingerprint for layout in LAYOUTS for seed in (0, 1)
    ]
    assert len({*found, plain.fingerprint}) == 2 * len(LAYOUTS) + 1
    for place in ("before", "behind", "either"):
        named = load_corpus(f"noise:{place}:locale:en-de", train_size=50)
        assert named.fingerprint == noisy_corpus(plain, Layout(place)).fingerprint


def test_what_is_no_noise_is_refused():
    with pytest.raises(InputError, match="unknown place 'inside': expected before, behind, either"):
        Layout("inside")
    with pytest.raises(InputError, match="nothing would tell which sentence is asked for"):
        Layout("either", " ")
    with pytest.raises(InputError, match="hardly any sentence but 'a'"):
        NoisyPairs([Pair("a", "b"), Pair("a ", "c")], "test", 0, Layout())[0]
    with pytest.raises(InputError, match="unknown corpus 'nowhere'"):
        load_corpus("noise:nowhere")
