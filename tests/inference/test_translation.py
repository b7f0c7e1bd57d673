"""Translating sentences in batches, under a policy or natively."""

from __future__ import annotations

import pytest

from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.hosts.tiny import SOURCE, TARGET, generate
from tests.inference.policies import EVERY_ACTION, TEXTS, strong


@EVERY_ACTION
def test_batches_and_padding_do_not_matter(each_host: Seq2SeqHost, action: str) -> None:
    policy, texts = strong(each_host, action), TEXTS[:8]
    limits = {"max_source": SOURCE, "max_target": TARGET}
    alone = translate(each_host, texts, policy, **limits, batch=1)
    for batch in (3, 64):
        together = translate(each_host, texts, policy, **limits, batch=batch)
        assert together.texts == alone.texts
        assert together.reads_fraction == pytest.approx(alone.reads_fraction, abs=1e-5)


def test_translations_keep_the_order_of_the_sentences(host: Seq2SeqHost) -> None:
    policy, limits = strong(host), {"max_source": SOURCE, "max_target": TARGET}
    there = translate(host, TEXTS, policy, **limits)
    back = translate(host, TEXTS[::-1], policy, **limits)
    assert back.texts[::-1] == there.texts
    assert back.reads_fraction[::-1] == pytest.approx(there.reads_fraction, abs=1e-5)


def test_without_a_policy_the_host_translates_natively(host: Seq2SeqHost) -> None:
    output = translate(host, TEXTS, max_source=SOURCE, max_target=TARGET, batch=7)
    assert output.texts == host.detokenize(generate(host, TEXTS))
    assert output.reads_fraction == [1.0] * len(TEXTS)
    assert output.truncated == 0


def test_sentences_that_are_too_long_are_counted(host: Seq2SeqHost) -> None:
    texts = ["ba be bi bo bu", "ba", "be be be be"]
    output = translate(host, texts, strong(host), max_source=4, max_target=3)
    assert output.truncated == 2
    assert output.texts[2] == translate(host, ["be be be"], strong(host), max_target=3).texts[0]


def test_nothing_gives_nothing(host: Seq2SeqHost) -> None:
    output = translate(host, [], strong(host))
    assert (output.texts, output.reads_fraction, output.truncated) == ([], [], 0)
