from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from rlattn.corpora import Pair, ParallelCorpus
from rlattn.errors import InputError
from rlattn.hosts.config import BuiltinConfig


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        ({"max_steps": 0}, "max_steps is 0"),
        ({"max_minutes": -1.0}, "max_minutes"),
        ({"max_minutes": float("inf")}, "max_minutes"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"encoder_layers": 0}, "encoder_layers"),
        ({"dropout": 1.0}, "dropout"),
        ({"warmup": -0.1}, "warmup"),
        ({"vocab_size": 100}, "258"),
        ({"d_model": 30, "heads": 4}, "d_model"),
        ({"max_length": 300, "batch_tokens": 200}, "batch_tokens"),
        ({"max_minutes": None}, "never end"),
    ],
)
def test_a_value_out_of_range_is_refused_in_one_line(bad: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=named) as refusal:
        BuiltinConfig(**bad)
    assert "\n" not in str(refusal.value)


def test_it_survives_json() -> None:
    config = BuiltinConfig(max_steps=7, max_minutes=None)
    assert BuiltinConfig(**json.loads(json.dumps(asdict(config)))) == config


def test_locale_phrases_get_a_smaller_vocabulary_than_other_text() -> None:
    def config(name: str) -> BuiltinConfig:
        pair = [Pair("a", "b")]
        return BuiltinConfig.for_corpus(ParallelCorpus(name, pair, pair, pair, 0, "0"))

    assert config("captions") == BuiltinConfig()
    assert config("locale:fr-pt").vocab_size < config("captions").vocab_size
