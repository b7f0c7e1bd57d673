from __future__ import annotations

import pytest
import torch
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from rlattn.corpora import Pair
from rlattn.hosts.builtin import embedded_host
from rlattn.hosts.quality import greedy_quality

SOURCES = ["May and February", "3 days ago; October 26, 2016", "9 euros; 4%", "Thursday"]

Host = tuple[PreTrainedModel, PreTrainedTokenizerBase]


@pytest.fixture(scope="module")
def host() -> Host:
    folder = embedded_host()
    model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    return model, AutoTokenizer.from_pretrained(folder)


def own_translations(host: Host) -> list[Pair]:
    model, tokenizer = host
    with torch.inference_mode():
        ids = [model.generate(**tokenizer(text, return_tensors="pt"))[0] for text in SOURCES]
    written = tokenizer.batch_decode(ids, skip_special_tokens=True)
    return [Pair(*both) for both in zip(SOURCES, written, strict=True)]


def test_its_own_translations_are_perfect_in_batches_of_any_size(host: Host) -> None:
    pairs = own_translations(host)
    for lanes in (1, 3, 100):
        quality = greedy_quality(*host, pairs, lanes)
        assert quality.bleu == pytest.approx(100)
        assert quality.chrf == pytest.approx(100)


def test_other_translations_are_not(host: Host) -> None:
    quality = greedy_quality(*host, [Pair(text, "Keine Ahnung.") for text in SOURCES])
    assert quality.bleu < 5
    assert quality.chrf < 20
    assert "case:mixed" in quality.signature
