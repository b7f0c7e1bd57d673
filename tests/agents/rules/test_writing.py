"""All rules are written by one loop: in order, whatever the batch, telling where they looked."""

from __future__ import annotations

import numpy as np
import pytest

from rlattn.agents.rules import RULES, Rule, TopK, Uniform, make_rule, translate_by_rule
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from rlattn.steering import Allocation, Steering
from tests.agents.rules.limits import LIMITS
from tests.hosts.tiny import TARGET, generate, sentences

SETTINGS = {"reads": 0.4, "mass": 0.5, "ratio": 1.2}


@pytest.fixture(params=RULES)
def rule(request: pytest.FixtureRequest) -> Rule:
    if request.param in ("entmax15", "sparsemax"):
        pytest.importorskip("entmax", reason="needs the extra 'compare'")
    made = make_rule(request.param, **SETTINGS)
    assert made.name == request.param
    return made


def test_order_batch_and_padding_change_nothing(host: Seq2SeqHost, rule: Rule) -> None:
    texts = sentences(12)
    there = translate_by_rule(host, texts, rule, **LIMITS, batch=5)
    back = translate_by_rule(host, texts[::-1], rule, **LIMITS, batch=3)
    assert back.texts[::-1] == there.texts
    assert back.reads_fraction[::-1] == there.reads_fraction
    if rule.reads is not None:
        assert np.mean(there.reads_fraction) >= rule.reads
        return  # how many are kept depends on the sentences together
    for text, written, reads in zip(texts, there.texts, there.reads_fraction, strict=True):
        alone = translate_by_rule(host, [text], rule, **LIMITS)
        assert (alone.texts, alone.reads_fraction) == ([written], [reads])


def test_a_trace_tells_where_each_sentence_looked(host: Seq2SeqHost, rule: Rule) -> None:
    texts = sentences(7)
    output = translate_by_rule(host, texts, rule, **LIMITS, batch=4, trace=True)
    assert output.texts == translate_by_rule(host, texts, rule, **LIMITS, batch=4).texts
    sources = host.tokenize(texts, LIMITS["max_source"]).ids
    for one, ids, reads in zip(output.alignments, sources, output.reads_fraction, strict=True):
        assert list(one.source) == host.tokenizer.convert_ids_to_tokens(ids)
        assert one.reads_fraction == pytest.approx(reads, abs=1e-12)
        assert np.allclose(one.attention.sum(1), 1, atol=1e-5)
        assert not one.attention[~one.opened].any()


def test_rules_that_do_not_gate_read_everything(host: Seq2SeqHost) -> None:
    for name in ("uniform", "random"):
        output = translate_by_rule(host, sentences(5), make_rule(name), **LIMITS)
        assert output.reads_fraction == [1.0] * 5


class Everywhere(Rule):
    """Leaves everything as it is."""

    name = "everywhere"

    def allocation(self, seen: object) -> None: ...


def test_a_rule_that_says_nothing_is_native(each_host: Seq2SeqHost) -> None:
    texts = sentences(20)
    output = translate_by_rule(each_host, texts, Everywhere(), **LIMITS, batch=6, trace=True)
    native = translate(each_host, texts, **LIMITS, trace=True)
    assert output.texts == native.texts
    for ours, theirs in zip(output.alignments, native.alignments, strict=True):
        assert (ours.source, ours.target) == (theirs.source, theirs.target)
        assert np.allclose(ours.attention, theirs.attention, atol=1e-5)
        assert np.array_equal(ours.opened, theirs.opened)


def test_uniform_is_what_generate_writes_under_equal_weights(each_host: Seq2SeqHost) -> None:
    for text in sentences(4, seed=2):
        written = translate_by_rule(each_host, [text], Uniform(), **LIMITS).texts
        mask = each_host.tokenizer([text], return_tensors="pt").attention_mask.bool()
        with Steering(each_host.model) as steering:
            steering.allocation = Allocation("replace", mask.float())
            assert written == each_host.detokenize(generate(each_host, [text]))


def test_long_sentences_are_counted_and_no_sentences_are_nothing(host: Seq2SeqHost) -> None:
    output = translate_by_rule(host, sentences(12), TopK(0.4), max_source=3, max_target=TARGET)
    assert output.truncated > 0
    assert translate_by_rule(host, [], TopK(0.4)).texts == []


def test_only_rules_that_watch_take_a_native_pass(host: Seq2SeqHost, rule: Rule) -> None:
    before = host.usage.forwards
    translate_by_rule(host, sentences(3), rule, max_source=10, max_target=1)
    assert host.usage.forwards - before == (6 if rule.needs_native else 3)
    assert rule.needs_native == (rule.name in ("argmax", "topk", "topp"))


def test_what_a_rule_asks_for_must_be_given() -> None:
    for name, what in (("topk", "reads"), ("diagonal", "reads"), ("topp", "mass")):
        with pytest.raises(InputError, match=f"rule {name} needs `{what}`"):
            make_rule(name)
    with pytest.raises(InputError, match="did you mean 'uniform'"):
        make_rule("uniforms")
