"""A host that asks for more than lanes follow is refused, and so is half a host."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from rlattn.errors import InputError, UnsupportedModelError
from rlattn.hosts import Seq2SeqHost, load_host


@pytest.mark.parametrize(
    ("rule", "value"),
    [("no_repeat_ngram_size", 3), ("repetition_penalty", 1.2), ("bad_words_ids", [[3, 4]])],
)
def test_a_rule_that_lanes_do_not_follow_is_named(
    host: Seq2SeqHost, rule: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host.model.generation_config, rule, value)
    with pytest.raises(UnsupportedModelError, match=rule):
        Seq2SeqHost(host.model, host.tokenizer)


def test_missing_weights_are_not_made_up(host: Seq2SeqHost, tmp_path: Path) -> None:
    host.model.save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.decoder.layers.0.fc1.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"1 of its weights are missing.*fc1"):
        load_host(tmp_path)
