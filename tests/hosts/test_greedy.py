"""Greedy decoding by lanes writes what `generate()` writes."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.greedy import greedy
from tests.hosts.tiny import EOS, PAD, SOURCE, TARGET, generate, sentences, tiny_host


def outputs(host: Seq2SeqHost, texts: list[str], max_target: int = TARGET) -> list[list[int]]:
    sources = host.tokenize(texts, SOURCE).ids
    return greedy(host, host.encode(sources), max_target)[0]


@pytest.mark.parametrize("max_target", [TARGET, 3, 1])
def test_greedy_writes_what_generate_writes(each_host: Seq2SeqHost, max_target: int) -> None:
    texts = sentences(50)
    expected = generate(each_host, texts, max_new_tokens=max_target)
    assert outputs(each_host, texts, max_target) == expected


RULES = {
    "bad words": {"bad_words_ids": [[PAD], *([word] for word in range(10, 40))]},
    "suppressed": {"suppress_tokens": list(range(10, 40))},
    "first": {"forced_bos_token_id": 17},
    "last": {"forced_eos_token_id": EOS},
    "several ends": {"eos_token_id": [EOS, *range(10, 20)]},
    "all": {
        "bad_words_ids": [[PAD]],
        "suppress_tokens": [4],
        "forced_bos_token_id": 17,
        "forced_eos_token_id": EOS,
    },
}


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_greedy_follows_the_rules_of_the_generation_config(rules: dict[str, Any]) -> None:
    texts, model = sentences(50), tiny_host().model
    for name, value in rules.items():
        setattr(model.generation_config, name, value)
    host = Seq2SeqHost(model, tiny_host().tokenizer)
    written = outputs(host, texts)
    ends = set(host.eos_tokens)
    expected = [
        row[: next((i for i, token in enumerate(row) if token in ends), len(row)) + 1]
        for row in generate(host, texts)
    ]
    assert written == expected
    assert written != outputs(tiny_host(), texts), "the rules matter here"


def test_greedy_hands_over_what_the_output_layer_was_given(each_host: Seq2SeqHost) -> None:
    encoded = each_host.encode(each_host.tokenize(sentences(20), SOURCE).ids)
    targets, heads = greedy(each_host, encoded, TARGET)
    forced = each_host.force(encoded, targets)
    expected = torch.cat([forced[row, : len(target)] for row, target in enumerate(targets)])
    assert torch.allclose(heads, expected, atol=1e-4)
