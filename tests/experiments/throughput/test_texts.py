"""Texts and a classifier to measure on: made up, or those that are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rlattn.envs.queue import AHEAD
from rlattn.errors import InputError
from rlattn.experiments.throughput.texts import TextWorkload, prepare_texts
from tests.experiments.throughput.small import TINY


def test_synthetic_texts_have_the_mean_length_that_is_asked_for(texts: TextWorkload) -> None:
    assert texts.mean_source == pytest.approx(TINY.source_length, rel=0.1)
    assert max(map(len, texts.sources)) <= texts.limit
    assert texts.host.labels == ("bad", "good")


def test_batches_are_of_like_length(texts: TextWorkload) -> None:
    batches = texts.batches(3)
    assert [len(batch) for batch in batches] == [3] * AHEAD
    lengths = [len(row) for batch in batches for row in batch]
    assert lengths == sorted(lengths)


def test_another_host_reads_a_corpus_of_its_own(texts: TextWorkload, tmp_path: Path) -> None:
    named = replace(TINY, kind="classification", host=texts.host.name, corpus=texts.names["corpus"])
    again = prepare_texts(named, tmp_path)
    assert (again.host.fingerprint, again.sources) == (texts.host.fingerprint, texts.sources)
    assert again.title == f"{texts.host.name} on {texts.names['corpus']}"


def test_what_pools_states_that_it_makes_once_is_refused(
    texts: TextWorkload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))
    corpus = tmp_path / "few.tsv"
    lines = Path(texts.names["corpus"].removeprefix("tsv:")).read_text().splitlines()[:80]
    corpus.write_text("\n".join(lines) + "\n")
    config = replace(
        TINY, kind="classification", host=f"pooled:{texts.host.name}", corpus=f"tsv:{corpus}"
    )
    with pytest.raises(InputError, match="makes its states once for each text"):
        prepare_texts(config, tmp_path)
