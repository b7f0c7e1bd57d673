"""The oracle gate is open on what is asked for, and closed on the noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sacrebleu.metrics.bleu import BLEU

from rlattn.agents import translate_by_oracle_gate
from rlattn.agents.oracle.gate import tokens_in
from rlattn.corpora import Layout, NoisyPairs, Pair, load_corpus
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host
from rlattn.inference import translate
from rlattn.steering import Allocation, steer
from tests.hosts.tiny import generate, pairs

PAIRS = NoisyPairs(pairs(30), "test", 0, Layout(marker="ba"))
TEXTS = [pair.source for pair in PAIRS]
SPANS = [pair.asked for pair in PAIRS]


class Slow:
    """A tokenizer that does not say where its tokens stand."""

    is_fast = False

    def __init__(self, tokenizer: object) -> None:
        self._tokenizer = tokenizer

    def __call__(self, *args: object, **options: object) -> object:
        assert "return_offsets_mapping" not in options
        return self._tokenizer(*args, **options)  # type: ignore[operator]

    def __getattr__(self, name: str) -> object:
        return getattr(self._tokenizer, name)


def test_tokens_of_the_asked_sentence_are_found(host: Seq2SeqHost) -> None:
    for text, span, found in zip(TEXTS, SPANS, tokens_in(host, TEXTS, SPANS), strict=True):
        ids = host.tokenizer(text).input_ids
        asked = host.tokenizer(text[span]).input_ids[:-1]
        assert found.tolist().count(True) == len(asked)
        assert [token for token, inside in zip(ids, found, strict=True) if inside] == asked


def test_tokenizers_that_do_not_tell_places_lead_to_the_same() -> None:
    host = load_host("embedded")
    texts = ["* Mar 3, 1996; in 2 days Sunday", "Peru: 12 km * $957.27 or ₹3", "9 * x"]
    spans = [slice(2, 24), slice(14, 27), slice(0, 1)]
    fast = tokens_in(host, texts, spans)
    assert [sum(row) for row in fast] != [0, 0, 0]
    host.tokenizer = Slow(host.tokenizer)
    for ours, theirs in zip(tokens_in(host, texts, spans), fast, strict=True):
        assert np.array_equal(ours, theirs)


def test_it_writes_what_one_sentence_alone_is_given_under_its_gate(host: Seq2SeqHost) -> None:
    output = translate_by_oracle_gate(host, PAIRS, max_target=12, batch=7)
    for text, found, written, reads in zip(
        TEXTS, tokens_in(host, TEXTS, SPANS), output.texts, output.reads_fraction, strict=True
    ):
        gate = torch.tensor(found)[None]
        gate[0, -1] = True
        with steer(host.model, Allocation("gate", gate)):
            alone = generate(host, [text])
        assert written == host.detokenize(alone)[0]
        assert reads == pytest.approx(gate.float().mean().item())
    assert output.truncated == 0


def test_what_is_cut_keeps_its_end_open(host: Seq2SeqHost) -> None:
    output = translate_by_oracle_gate(host, PAIRS, max_source=4, max_target=3)
    assert output.truncated == sum(len(host.tokenizer(text).input_ids) > 4 for text in TEXTS)
    assert all(
        share in (0.25, 0.5, 0.75, 1.0, pytest.approx(2 / 3)) for share in output.reads_fraction
    )


def test_pairs_that_do_not_say_what_is_asked_for_are_refused(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match="'ka be' does not say which part of it is asked for"):
        translate_by_oracle_gate(host, [Pair("ka be", "ba")])


def test_noise_costs_much_and_the_oracle_brings_much_of_it_back() -> None:
    host, corpus = load_host("embedded"), load_corpus("noise:behind:locale:en-de", train_size=1)
    chosen = corpus.valid[:30]
    sources, references = [pair.source for pair in chosen], [[pair.target for pair in chosen]]
    native = translate(host, sources, max_source=128)
    gated = translate_by_oracle_gate(host, chosen)
    scores = [BLEU().corpus_score(output.texts, references).score for output in (native, gated)]
    assert scores[0] < 60
    assert scores[1] > scores[0] + 20
