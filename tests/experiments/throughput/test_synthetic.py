"""Made-up hosts and sentences: as long as they are asked to be, and always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rlattn.corpora import load_corpus
from rlattn.experiments.throughput.synthetic import SIZES, draw_lengths, write_task
from rlattn.hosts import load_host


@pytest.mark.parametrize("mean", [6, 14, 64, 512])
def test_lengths_are_what_is_asked_for(mean: int) -> None:
    sources, targets = draw_lengths(5000, mean, np.random.default_rng(0)).T
    assert sources.mean() == pytest.approx(mean, rel=0.03)
    assert sources.std() == pytest.approx(0.3 * mean, rel=0.1)
    assert targets.mean() == pytest.approx(1.05 * mean, rel=0.03)
    for lengths in (sources, targets):
        assert lengths.min() >= 3
        assert lengths.max() <= 2 * mean


def test_tokens_are_counted_as_drawn(tmp_path: Path) -> None:
    host_name, corpus = write_task(tmp_path, SIZES["tiny"], source_length=8, sentences=300, seed=0)
    host = load_host(host_name)
    train = load_corpus(corpus).train
    lengths = [len(row) for row in host.tokenize([pair.source for pair in train], 99).ids]
    assert np.mean(lengths) == pytest.approx(8, rel=0.1)
    assert host.d_model == SIZES["tiny"].d_model
    assert host.vocabulary == SIZES["tiny"].vocabulary


@pytest.mark.parametrize("seed", [0, 1])
def test_seeds_fix_everything(tmp_path: Path, seed: int) -> None:
    tasks = []
    for name, number in (("first", 0), ("second", seed)):
        (tmp_path / name).mkdir()
        tasks.append(
            write_task(tmp_path / name, SIZES["tiny"], source_length=5, sentences=100, seed=number)
        )
    (host, corpus), (other_host, other_corpus) = tasks
    same = seed == 0
    assert (load_corpus(corpus).fingerprint == load_corpus(other_corpus).fingerprint) == same
    assert (load_host(host).fingerprint == load_host(other_host).fingerprint) == same


def test_every_size_has_words_for_its_vocabulary(tmp_path: Path) -> None:
    host, _ = write_task(tmp_path, SIZES["small"], source_length=5, sentences=50, seed=0)
    assert len(load_host(host).tokenizer) == SIZES["small"].vocabulary
