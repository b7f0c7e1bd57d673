"""Sparse softmaxes of native logits: what they write, and how much of the source has any weight."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.agents.rules import Entmax15, Sparsemax, make_rule, translate_by_rule
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import Steering
from tests.agents.rules.limits import LIMITS
from tests.hosts.tiny import generate, sentences


@pytest.mark.parametrize("name", ["entmax15", "sparsemax"])
def test_it_writes_and_reads_what_the_steered_model_does(each_host: Seq2SeqHost, name: str) -> None:
    library = pytest.importorskip("entmax", reason="needs the extra 'compare'")
    texts = sentences(8, seed=3)
    output = translate_by_rule(each_host, texts, make_rule(name), **LIMITS, batch=5, trace=True)
    shares = []
    for text, written in zip(texts, output.texts, strict=True):
        with Steering(each_host.model, normalise=getattr(library, name)):
            tokens = generate(each_host, [text])[0]
            inputs = each_host.tokenizer([text], return_tensors="pt")
            fed = torch.tensor([[each_host.start_token, *tokens[:-1]]])
            with torch.no_grad():
                attended = each_host.model(
                    input_ids=inputs.input_ids,
                    attention_mask=inputs.attention_mask,
                    decoder_input_ids=fed,
                    decoder_attention_mask=torch.ones_like(fed),
                    output_attentions=True,
                ).cross_attentions
        assert written == each_host.detokenize([tokens])[0]
        any_weight = (torch.stack(attended) > 0).any(0).any(1)[0]
        shares.append(any_weight.double().mean().item())
    assert output.reads_fraction == pytest.approx(shares)
    assert output.reads_fraction == [each.reads_fraction for each in output.alignments]
    assert np.mean(shares) < 1.0


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "entmax", None)
    rules: tuple[Any, ...] = (Entmax15, Sparsemax)
    for rule in rules:
        with pytest.raises(InputError, match=rf"{rule.name} needs .*rlattn\[compare\]"):
            rule()
