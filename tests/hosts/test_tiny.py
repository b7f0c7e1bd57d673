"""The tiny hosts are worth testing with."""

from __future__ import annotations

from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import EOS, SOURCE, TARGET, generate, sentences


def test_tiny_hosts_write_many_things_of_many_lengths(each_host: Seq2SeqHost) -> None:
    written = generate(each_host, sentences(50))
    assert len({tuple(row) for row in written}) > 20
    assert len({len(row) for row in written}) > 3
    ended = sum(row[-1] == EOS for row in written)
    assert 5 < ended < 45
    assert {len(row) for row in written if row[-1] != EOS} == {TARGET}


def test_sentences_fit(host: Seq2SeqHost) -> None:
    assert host.tokenize(sentences(50), SOURCE).truncated == 0
