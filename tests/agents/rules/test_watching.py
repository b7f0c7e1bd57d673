"""Rules that watch first keep what native attention likes best, as much of it as they should."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.actions import make_family
from rlattn.agents.rules import Argmax, TopK, TopP, mass_for_reads, translate_by_rule
from rlattn.agents.rules.watching import keep_mass, keep_top
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.agents.rules.limits import LIMITS, lengths, seen
from tests.envs.cores import steered
from tests.hosts.tiny import EOS, SOURCE, TARGET, sentences


def test_the_highest_are_kept_and_padding_never() -> None:
    attention = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.0, 0.6, 0.4, 0.0], [0.0, 0.0, 1.0, 0.0]])
    kept = keep_top(attention, torch.tensor([2, 1, 3]), lengths(4, 3, 3))
    assert kept.int().tolist() == [[0, 1, 0, 1], [0, 1, 0, 0], [1, 1, 1, 0]]


def test_ties_are_broken_without_keeping_more() -> None:
    mask = lengths(5, 3)
    kept = keep_top(torch.full((2, 5), 0.2), torch.tensor([2, 2]), mask)
    assert kept.sum(-1).tolist() == [2, 2]
    assert not kept[~mask].any()


def attention_over(mask: Tensor) -> Tensor:
    return torch.randn(mask.shape).mul(2).masked_fill(~mask, -torch.inf).softmax(-1)


@pytest.mark.parametrize("mass", [0.01, 0.5, 0.9, 0.999])
def test_a_mass_is_held_by_the_fewest_positions_that_can(mass: float) -> None:
    mask = lengths(*range(1, 41))
    attention = attention_over(mask)
    kept = keep_mass(attention, mass, mask)
    assert not kept[~mask].any()
    held, least = (attention * kept).sum(-1), attention.masked_fill(~kept, torch.inf).amin(-1)
    assert (held >= mass - 1e-6).all()
    assert (held - least < mass).all(), "one position fewer would have held enough"
    assert (attention.masked_fill(kept | ~mask, 0.0).amax(-1) <= least).all()


def test_all_of_the_mass_is_held_by_all_positions() -> None:
    mask = lengths(9, 4)
    assert torch.equal(keep_mass(attention_over(mask), 1.0, mask), mask)


def test_the_most_attended_position_alone_is_open_under_argmax() -> None:
    mask = lengths(6, 1, 4)
    attention = attention_over(mask)
    gate = Argmax().allocation(seen(mask, native=attention))
    assert torch.equal(gate.values, torch.arange(6) == attention.argmax(-1, keepdim=True))


def test_reading_everything_is_native(each_host: Seq2SeqHost) -> None:
    texts = sentences(30)
    output = translate_by_rule(each_host, texts, TopK(1.0), **LIMITS, batch=7)
    assert output.texts == translate(each_host, texts, **LIMITS).texts
    assert output.reads_fraction == [1.0] * 30


def test_all_of_the_mass_is_native_and_shuts_only_what_holds_nothing(
    each_host: Seq2SeqHost,
) -> None:
    texts = sentences(30)
    output = translate_by_rule(each_host, texts, TopP(1.0), **LIMITS, batch=7, trace=True)
    native = translate(each_host, texts, **LIMITS, trace=True)
    assert output.texts == native.texts
    for ours, theirs in zip(output.alignments, native.alignments, strict=True):
        assert (theirs.attention[~ours.opened] < 1e-12).all()


RULES = {
    "topk": (TopK(0.3), lambda attention, reads: round(reads * attention.shape[1])),
    "argmax": (Argmax(), lambda attention, reads: 1),
    "topp": (
        TopP(0.6),
        lambda attention, reads: (
            1 + int((attention[0].sort(descending=True).values.cumsum(0) < 0.6).sum())
        ),
    ),
}
"""Each rule, and how many positions it keeps: slowly, and one lane at a time."""


@pytest.mark.parametrize("name", RULES)
def test_it_writes_what_a_slow_twin_writes(each_host: Seq2SeqHost, name: str) -> None:
    texts, family = sentences(5, seed=1), make_family("gate")
    rule, count = RULES[name]
    output = translate_by_rule(each_host, texts, rule, **LIMITS, batch=4)
    eager = copy.deepcopy(each_host.model)
    eager.set_attn_implementation("eager")
    for text, written, reads in zip(texts, output.texts, output.reads_fraction, strict=True):
        ids = torch.tensor(each_host.tokenize([text], SOURCE).ids)
        mask = torch.ones_like(ids, dtype=torch.bool)
        fed, actions = [each_host.start_token], []
        while len(fed) <= TARGET and (len(fed) == 1 or fed[-1] != EOS):
            seen = eager(
                input_ids=ids, decoder_input_ids=torch.tensor([fed]), output_attentions=True
            )
            attention = torch.stack([layer[:, :, -1].mean(1) for layer in seen.cross_attentions])
            attention = attention.mean(0)
            kept = torch.tensor([count(attention, reads)])
            actions.append(keep_top(attention, kept, mask)[0].float())
            steps = steered(each_host, family, Pair(text, ""), actions, [*fed[1:], 0])
            fed.append(int(steps[-1].argmax()))
        assert written == each_host.detokenize([fed[1:]])[0]
        assert reads == pytest.approx(torch.stack(actions).mean().item())


@pytest.mark.parametrize("reads", [0.25, 0.6])
def test_a_mass_can_be_found_for_reads(host: Seq2SeqHost, reads: float) -> None:
    texts = sentences(12)
    mass = mass_for_reads(host, texts, reads, **LIMITS)

    def read(mass: float) -> float:
        return np.mean(translate_by_rule(host, texts, TopP(mass), **LIMITS).reads_fraction)

    assert read(mass) >= reads
    assert read(mass - 2**-10) < reads


def test_no_mass_reads_more_than_everything(host: Seq2SeqHost) -> None:
    assert mass_for_reads(host, sentences(3), 1.0, **LIMITS) > 0.9
