"""What is measured on: batches as an environment draws them, and settings that are mere names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rlattn.envs.queue import AHEAD
from rlattn.experiments.throughput.workload import Workload
from tests.experiments.throughput.small import workload


@pytest.mark.parametrize("lanes", [1, 3, 64])
def test_batches_are_whole_and_sorted_by_length(tiny: Workload, lanes: int) -> None:
    batches = tiny.batches(lanes)
    assert len(batches) >= AHEAD
    assert {len(batch.sources) for batch in batches} == {lanes}
    lengths = [len(row) for batch in batches for row in batch.sources]
    assert lengths == sorted(lengths)


def test_batches_write_as_many_tokens_as_the_references_have(tiny: Workload) -> None:
    batches = tiny.batches(256)
    assert np.mean([batch.steps for batch in batches]) == pytest.approx(tiny.mean_target, rel=0.1)


def test_batches_of_more_sentences_than_there_are_repeat_some(tiny: Workload) -> None:
    lanes = len(tiny.sources)
    assert sum(len(batch.sources) for batch in tiny.batches(lanes)) == AHEAD * lanes


def test_the_same_seed_draws_the_same(tiny: Workload, tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    assert workload(tmp_path / "again").batches(3) == tiny.batches(3)
    assert workload(tmp_path, seed=1).batches(3) != tiny.batches(3)


def test_settings_are_plain_data(tiny: Workload) -> None:
    json.dumps(tiny.settings({"reads": -1.0}))


def test_a_host_that_never_ends_a_sentence_is_cut_where_references_end(tiny: Workload) -> None:
    assert tiny.settings(None)["max_target"] == tiny.limit
    assert tiny.settings(None, "free")["max_target"] == tiny.steps


def test_another_host_runs_free_on_its_own_corpus(tiny: Workload, tmp_path: Path) -> None:
    other = workload(tmp_path, host=tiny.names["host"], corpus=tiny.names["corpus"])
    assert other.prefix == "free"
    assert other.settings(None)["max_target"] == other.limit
    assert other.sources == tiny.sources
