"""Translating sentences in batches, under a policy or natively."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.hosts import Seq2SeqHost
from rlattn.inference import native, translate
from tests.hosts.tiny import EOS, SOURCE, TARGET, generate
from tests.inference.policies import EVERY_ACTION, TEXTS, strong

LIMITS = {"max_source": SOURCE, "max_target": TARGET}


@EVERY_ACTION
def test_batches_and_padding_do_not_matter(each_host: Seq2SeqHost, action: str) -> None:
    policy, texts = strong(each_host, action), TEXTS[:8]
    alone = translate(each_host, texts, policy, **LIMITS, batch=1)
    for batch in (3, 64):
        together = translate(each_host, texts, policy, **LIMITS, batch=batch)
        assert together.texts == alone.texts
        assert together.reads_fraction == pytest.approx(alone.reads_fraction, abs=1e-5)


def test_translations_keep_the_order_of_the_sentences(host: Seq2SeqHost) -> None:
    policy = strong(host)
    there = translate(host, TEXTS, policy, **LIMITS)
    back = translate(host, TEXTS[::-1], policy, **LIMITS)
    assert back.texts[::-1] == there.texts
    assert back.reads_fraction[::-1] == pytest.approx(there.reads_fraction, abs=1e-5)


def test_without_a_policy_the_host_translates_natively(host: Seq2SeqHost) -> None:
    output = translate(host, TEXTS, **LIMITS, batch=7)
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


def test_native_beams_are_those_of_generate(each_host: Seq2SeqHost) -> None:
    output = translate(each_host, TEXTS, **LIMITS, beams=3, batch=7)
    written = generate(each_host, TEXTS, num_beams=3)
    assert output.texts == each_host.detokenize(written)
    assert output.reads_fraction == [1.0] * len(TEXTS)
    assert written != generate(each_host, TEXTS), "beams matter"


def test_one_beam_is_greedy_under_a_policy(host: Seq2SeqHost) -> None:
    policy = strong(host)
    with policy.steer(host.model) as trace:
        written = generate(host, TEXTS)
    output = translate(host, TEXTS, policy, **LIMITS, beams=1)
    assert output.texts == host.detokenize(written)
    assert output.reads_fraction == pytest.approx(trace.reads_fraction.tolist(), abs=1e-5)


def test_without_a_trace_no_alignment_is_kept(host: Seq2SeqHost) -> None:
    assert translate(host, TEXTS[:3], strong(host), **LIMITS).alignments == []


@EVERY_ACTION
def test_an_alignment_is_what_the_policy_did_with_the_sentence_alone(
    host: Seq2SeqHost, action: str
) -> None:
    policy, texts = strong(host, action), TEXTS[:8]
    output = translate(host, texts, policy, **LIMITS, batch=3, trace=True)
    for text, alignment in zip(texts, output.alignments, strict=True):
        with policy.steer(host.model, trace=True) as trace:
            (written,) = generate(host, [text])
        assert alignment.source == [*text.split(), "</s>"]
        assert alignment.target == host.tokenizer.convert_ids_to_tokens(written)
        assert alignment.attention == pytest.approx(torch.cat(trace.attention).numpy(), abs=1e-5)
        assert np.array_equal(alignment.opened, torch.cat(trace.opened).numpy())


def test_the_reads_of_alignments_are_those_of_the_translations(each_host: Seq2SeqHost) -> None:
    output = translate(each_host, TEXTS, strong(each_host), **LIMITS, trace=True)
    reads = [alignment.reads_fraction for alignment in output.alignments]
    assert reads == pytest.approx(output.reads_fraction, abs=1e-5)
    assert output.alignments[0].reads.mean() == pytest.approx(reads[0])


def test_natively_everything_is_open(each_host: Seq2SeqHost) -> None:
    for alignment in translate(each_host, TEXTS[:5], **LIMITS, trace=True).alignments:
        assert alignment.opened.all()
        assert alignment.attention.sum(-1) == pytest.approx(1, abs=1e-5)


def test_with_beams_an_alignment_is_that_of_the_best_hypothesis(each_host: Seq2SeqHost) -> None:
    output = translate(each_host, TEXTS[:10], **LIMITS, beams=3, batch=4, trace=True)
    assert output.texts == translate(each_host, TEXTS[:10], **LIMITS, beams=3).texts
    hypotheses = generate(each_host, TEXTS[:10], num_beams=3)
    for text, alignment, written in zip(TEXTS[:10], output.alignments, hypotheses, strict=True):
        assert alignment.target == each_host.tokenizer.convert_ids_to_tokens(written)

        def forced(row: int, so_far: torch.Tensor, written: list[int] = written) -> list[int]:
            return written[len(so_far) - 1 :][:1] or [EOS]

        with native(each_host.model) as trace:
            (again,) = generate(each_host, [text], prefix_allowed_tokens_fn=forced)
        assert again == written
        assert alignment.attention == pytest.approx(torch.cat(trace.attention).numpy(), abs=1e-5)
