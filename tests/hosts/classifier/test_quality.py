"""Accuracy is the share of texts whose likeliest label is theirs."""

from __future__ import annotations

from rlattn.corpora import Pair
from rlattn.hosts.classifier.quality import accuracy
from tests.hosts.classifier.small import SOURCE, small_classifier
from tests.hosts.tiny import sentences


def test_it_counts_what_the_host_would_say_whatever_the_order() -> None:
    host, texts = small_classifier(), sentences(150)
    chosen = [
        int(host.classify(host.encode(host.tokenize([text], SOURCE).ids)).argmax())
        for text in texts
    ]
    right = [Pair(text, host.labels[label]) for text, label in zip(texts, chosen, strict=True)]
    wrong = [Pair(text, host.labels[label - 1]) for text, label in zip(texts, chosen, strict=True)]
    assert accuracy(host, right, SOURCE).whole == 1
    assert accuracy(host, wrong, SOURCE).whole == 0
    assert accuracy(host, [*wrong, *right, *right, *right], SOURCE).whole == 0.75
    assert 0.3 < accuracy(host, right, SOURCE).half < 1
