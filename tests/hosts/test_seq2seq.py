"""A host is frozen, cuts what is too long, and reads a sentence alike in any company."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from rlattn.errors import UnsupportedModelError
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from tests.hosts.tiny import EOS, PAD, SOURCE, TARGET, sentences, tiny_host, tokenizer

TEXTS = sentences(12)


def test_a_host_is_frozen(host: Seq2SeqHost) -> None:
    assert not any(module.training for module in host.model.modules())
    assert not any(weight.requires_grad for weight in host.model.parameters())


def test_a_model_without_encoder_is_refused_by_name() -> None:
    config = transformers.GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9)
    with pytest.raises(UnsupportedModelError, match=r"GPT2LMHeadModel.*not an encoder-decoder"):
        Seq2SeqHost(transformers.GPT2LMHeadModel(config), tokenizer())


@pytest.mark.parametrize("token", ["decoder_start_token_id", "pad_token_id", "eos_token_id"])
def test_a_token_that_decoding_needs_must_be_there(token: str) -> None:
    model = tiny_host().model
    setattr(model.generation_config, token, None)
    with pytest.raises(UnsupportedModelError, match=f"nameless.*no {token}"):
        Seq2SeqHost(model, tokenizer(), "nameless")


def test_there_may_be_several_end_tokens() -> None:
    model = tiny_host().model
    model.generation_config.eos_token_id = [EOS, 5]
    assert Seq2SeqHost(model, tokenizer()).eos_tokens == [EOS, 5]


def test_sentences_that_are_too_long_are_cut_and_counted(host: Seq2SeqHost) -> None:
    long, short = "ba be bi bo bu", "ba be"
    for tokenize in (host.tokenize, host.tokenize_target):
        cut = tokenize([long, short, long], 4)
        assert cut.truncated == 2
        assert [len(row) for row in cut.ids] == [4, 3, 4]
        assert cut.ids[0] == [*tokenize([long], 99).ids[0][:3], EOS]
        assert tokenize([long], 6).truncated == 0


def test_written_tokens_become_text_without_special_tokens(host: Seq2SeqHost) -> None:
    ids = host.tokenize(["ba be", "bi"], SOURCE).ids
    assert host.detokenize([[*ids[0], PAD], ids[1], [EOS], []]) == ["ba be", "bi", "", ""]
    assert host.detokenize([]) == []


def test_padding_stands_at_the_right() -> None:
    ids, mask = pad([[5, 6], [7, 8, 9]], PAD)
    assert ids.tolist() == [[5, 6, PAD], [7, 8, 9]]
    assert mask.tolist() == [[True, True, False], [True, True, True]]


def test_a_sentence_is_read_alike_alone_and_in_a_batch(each_host: Seq2SeqHost) -> None:
    sources = each_host.tokenize(TEXTS, SOURCE).ids
    together = each_host.encode(sources)
    assert together.memory.shape == (len(TEXTS), together.mask.shape[1], each_host.d_model)
    for row, source in enumerate(sources):
        alone, width = each_host.encode([source]), len(source)
        assert together.mask[row].sum() == width
        assert torch.allclose(together.memory[row, :width], alone.memory[0], atol=1e-4)
        assert torch.allclose(together.cross[:, row, :, :width], alone.cross[:, 0], atol=1e-4)


def test_forced_targets_are_what_the_model_itself_computes(each_host: Seq2SeqHost) -> None:
    sources = each_host.tokenize(TEXTS, SOURCE).ids
    targets = each_host.tokenize_target(sentences(12, seed=1), TARGET).ids
    forced = each_host.force(each_host.encode(sources), targets)
    logits = each_host.model.get_output_embeddings()(forced)
    assert forced.shape[-1] == each_host.d_head
    assert logits.shape[-1] == each_host.vocabulary
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        fed = torch.tensor([[each_host.start_token, *target[:-1]]])
        alone = each_host.model(input_ids=torch.tensor([source]), decoder_input_ids=fed).logits
        assert torch.allclose(logits[row, : len(target)], alone[0], atol=1e-4)


def test_rules_of_decoding_forbid_tokens() -> None:
    host = tiny_host()
    rules = host.model.generation_config
    rules.bad_words_ids, rules.suppress_tokens = [[PAD]], [4]
    rules.forced_bos_token_id, rules.forced_eos_token_id = 7, EOS
    logits = torch.randn(4, host.vocabulary)
    logits[1, [PAD, 4, 9]] = torch.tensor([30.0, 20.0, 10.0])
    first, last = torch.tensor([True, *3 * [False]]), torch.tensor([*3 * [False], True])
    assert host.choose(logits, first, last).tolist() == [7, 9, int(logits[2].argmax()), EOS]
    assert host.choose(logits[2:], first[2:], last[2:])[0] == logits[2].argmax()


def test_without_rules_nothing_is_forbidden(host: Seq2SeqHost) -> None:
    logits, always = torch.randn(2, host.vocabulary), torch.ones(2, dtype=torch.bool)
    assert torch.equal(host.choose(logits, always, always), logits.argmax(-1))


@pytest.mark.parametrize(("family", "limit"), [("Marian", 64), ("Bart", 64), ("T5", None)])
def test_some_hosts_limit_the_length_of_a_source(family: str, limit: Any) -> None:
    assert tiny_host(family).max_source == limit
