"""The native top-k rule keeps what native attention likes best, at the reads that it is given."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from rlattn.actions import make_family
from rlattn.agents.heuristics import keep_top, topk_counts, translate_topk
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.envs.cores import steered
from tests.hosts.tiny import EOS, SOURCE, TARGET, sentences

LIMITS = {"max_source": SOURCE, "max_target": TARGET}
LENGTHS = np.random.default_rng(0).integers(1, 40, 200)


@pytest.mark.parametrize("reads", [0.05, 0.2, 0.5, 0.93, 1.0])
def test_counts_meet_the_reads_and_hardly_exceed_them(reads: float) -> None:
    counts = topk_counts(LENGTHS, reads)
    assert (counts >= 1).all()
    assert (counts <= LENGTHS).all()
    mean = np.mean(counts / LENGTHS)
    least = np.mean(1 / LENGTHS)
    assert reads <= mean + 1e-12
    assert mean < max(reads, least) + 0.03


def test_longer_sources_keep_more() -> None:
    counts = topk_counts(np.array([4, 8, 16, 32]), 0.5)
    assert counts.tolist() == [2, 4, 8, 16]
    assert topk_counts(np.array([1, 7]), 1.0).tolist() == [1, 7]


def test_the_highest_are_kept_and_padding_never() -> None:
    attention = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.0, 0.6, 0.4, 0.0], [0.0, 0.0, 1.0, 0.0]])
    mask = torch.tensor([[True] * 4, [True, True, True, False], [True, True, True, False]])
    kept = keep_top(attention, torch.tensor([2, 1, 3]), mask)
    assert kept.int().tolist() == [[0, 1, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0]]


def test_ties_are_broken_without_keeping_more() -> None:
    mask = torch.arange(5) < torch.tensor([[5], [3]])
    kept = keep_top(torch.full((2, 5), 0.2), torch.tensor([2, 2]), mask)
    assert kept.sum(-1).tolist() == [2, 2]
    assert not kept[~mask].any()


def test_reading_everything_is_native(each_host: Seq2SeqHost) -> None:
    texts = sentences(30)
    output = translate_topk(each_host, texts, 1.0, **LIMITS, batch=7)
    assert output.texts == translate(each_host, texts, **LIMITS).texts
    assert output.reads_fraction == [1.0] * 30


def test_it_writes_what_a_slow_twin_writes(each_host: Seq2SeqHost) -> None:
    texts, family = sentences(5, seed=1), make_family("gate")
    output = translate_topk(each_host, texts, 0.3, **LIMITS, batch=4)
    eager = copy.deepcopy(each_host.model)
    eager.set_attn_implementation("eager")
    for text, written, reads in zip(texts, output.texts, output.reads_fraction, strict=True):
        ids = torch.tensor(each_host.tokenize([text], SOURCE).ids)
        mask, count = torch.ones_like(ids, dtype=torch.bool), round(reads * ids.shape[1])
        fed, actions = [each_host.start_token], []
        while len(fed) <= TARGET and (len(fed) == 1 or fed[-1] != EOS):
            seen = eager(
                input_ids=ids, decoder_input_ids=torch.tensor([fed]), output_attentions=True
            )
            attention = torch.stack([layer[:, :, -1].mean(1) for layer in seen.cross_attentions])
            actions.append(keep_top(attention.mean(0), torch.tensor([count]), mask)[0].float())
            steps = steered(each_host, family, Pair(text, ""), actions, [*fed[1:], 0])
            fed.append(int(steps[-1].argmax()))
        assert written == each_host.detokenize([fed[1:]])[0]


def test_the_order_is_kept_and_long_sentences_are_counted(host: Seq2SeqHost) -> None:
    texts = sentences(12)
    there = translate_topk(host, texts, 0.4, **LIMITS, batch=5)
    back = translate_topk(host, texts[::-1], 0.4, **LIMITS, batch=5)
    assert back.texts[::-1] == there.texts
    assert back.reads_fraction[::-1] == there.reads_fraction
    assert np.mean(there.reads_fraction) >= 0.4
    assert translate_topk(host, texts, 0.4, max_source=3, max_target=TARGET).truncated > 0
