"""What a built-in classifier learns from, where only a part of a text is asked for."""

from __future__ import annotations

import torch

from rlattn.corpora import Pair, load_corpus
from rlattn.corpora.noise import NoisyPair
from rlattn.hosts.classifier.asked import asked_tokens, opened_around
from tests.hosts.classifier.small import small_tokenizer
from tests.hosts.tiny import WORDS


def test_the_tokens_are_those_of_the_part_that_is_asked_for() -> None:
    first, second = " ".join(WORDS[:3]), " ".join(WORDS[3:5])
    text = f"{first} {second}"
    behind = NoisyPair(text, "good", slice(len(first) + 1, len(text)))
    before = NoisyPair(text, "good", slice(0, len(first)))
    found = asked_tokens(small_tokenizer(), [behind, before, Pair(text, "good")])
    assert found == [(3, 5), (0, 3), (0, 5)]


def test_a_text_without_tokens_has_one_that_is_asked_for() -> None:
    assert asked_tokens(small_tokenizer(), [Pair("", "good")]) == [(0, 1)]


def test_what_is_asked_for_is_open_and_little_else() -> None:
    torch.manual_seed(0)
    mask = torch.arange(40) < torch.randint(20, 41, (2000, 1))
    asked = (torch.arange(40) >= 5) & (torch.arange(40) < 10) & mask
    opened = opened_around(mask, asked, shut=0.0)
    assert torch.equal(opened & asked, asked)
    assert not (opened & ~mask).any()
    others = (opened & ~asked).sum(1) / (mask & ~asked).sum(1)
    assert others.median() < 0.1
    assert others.max() > 0.9


def test_all_of_an_ordinary_text_is_asked_for() -> None:
    mask = torch.ones(3, 8, dtype=torch.bool)
    assert torch.equal(opened_around(mask, mask, shut=0.0), mask)


def test_the_kinds_corpus_asks_for_a_seventh_or_so() -> None:
    pairs = [load_corpus("kinds:en").train[index] for index in range(20)]
    for pair in pairs:
        assert isinstance(pair, NoisyPair)
        assert 0 < len(pair.source[pair.asked]) < len(pair.source) / 2
