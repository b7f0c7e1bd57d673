from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from rlattn.corpora import Pair, ParallelCorpus, load_corpus
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


def suited(name: str) -> BuiltinConfig:
    pair = [Pair("a", "b")]
    return BuiltinConfig.for_corpus(ParallelCorpus(name, pair, pair, pair, 0, "0"))


def test_locale_phrases_get_a_smaller_vocabulary_than_other_text() -> None:
    assert suited("captions") == BuiltinConfig()
    assert suited("locale:fr-pt").vocab_size < suited("captions").vocab_size


def test_documents_begin_with_shorter_ones_and_the_shortest_with_sentences() -> None:
    names, longest = ["documents:fr-pt"], []
    while start := suited(names[-1]).start:
        longest.append(load_corpus(names[-1], train_size=1).train[0].source)
        names.append(start)
    assert names[-1] == "locale:fr-pt"
    assert len(names) > 2
    assert sorted(longest, key=len, reverse=True) == longest


def test_documents_of_other_lengths_have_a_host_too() -> None:
    assert suited("documents:fr-pt:200-300").start == suited("documents:fr-pt").start
