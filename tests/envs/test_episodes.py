"""Sentences come in a seeded order, ready to start, with what their prefix mode feeds back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.corpora import Pair
from rlattn.envs.episodes import EpisodeQueue, Episodes
from rlattn.hosts import Seq2SeqHost
from rlattn.observation import compact
from tests.hosts.tiny import EOS, SOURCE, TARGET, generate, pairs

PAIRS = pairs(30)


def queue(host: Seq2SeqHost, **changes: Any) -> EpisodeQueue:
    settings = {
        "prefix": "free",
        "native": True,
        "max_source": SOURCE,
        "max_target": TARGET,
        "lanes": 4,
        **changes,
    }
    return EpisodeQueue(host, settings.pop("split", PAIRS), **settings)


def take(episodes: EpisodeQueue, count: int) -> list[Episodes]:
    return [piece for _, piece in episodes.take(np.zeros(count, np.int64))]


def drawn(episodes: EpisodeQueue, count: int, bands: int = 1) -> list[Pair]:
    """The sentences of lanes that take turns in their bands."""
    pieces = episodes.take(np.arange(count) % bands)
    found = {
        place: pair for at, piece in pieces for place, pair in zip(at, piece.pairs, strict=True)
    }
    return [found[place] for place in range(count)]


def test_the_order_is_seeded(host: Seq2SeqHost) -> None:
    first, second, other = queue(host), queue(host), queue(host)
    first.seed(3)
    second.seed(3)
    other.seed(4)
    order = drawn(first, 40)
    assert drawn(second, 40) == order
    assert drawn(other, 40) != order
    first.seed(3)
    assert drawn(first, 40) == order, "the same order again"


@pytest.mark.parametrize("bands", [1, 2, 4])
def test_every_sentence_comes_once_in_an_epoch(host: Seq2SeqHost, bands: int) -> None:
    split = pairs(64)
    episodes = queue(host, split=split, bands=bands)
    for _ in range(3):  # 64 are read at a time
        assert Counter(drawn(episodes, 64, bands)) == Counter(split)


def test_lanes_of_a_band_are_of_like_length(host: Seq2SeqHost) -> None:
    split = [Pair(" ".join(["ba"] * (1 + i % (SOURCE - 1))), "be") for i in range(256)]
    episodes = queue(host, split=split, lanes=64, bands=4)
    lanes = np.repeat(np.arange(4), 16)
    lengths = np.zeros(64)
    for places, piece in episodes.take(lanes):
        lengths[places] = piece.encoded.lengths[piece.rows]
    bands = lengths.reshape(4, 16)
    assert (np.diff(bands.mean(1)) > 0).all()
    assert np.ptp(bands, axis=1).max() <= 2
    assert np.ptp(lengths) >= SOURCE // 2


@pytest.mark.parametrize("bands", [1, 2, 4])
def test_copies_of_a_sentence_come_one_right_after_the_other(host: Seq2SeqHost, bands: int) -> None:
    split = pairs(64)
    episodes = queue(host, split=split, bands=bands, copies=2)
    names: list[int] = []
    for band in range(bands):
        for _ in range(8):
            for places, piece in episodes.take(np.full(3, band)):
                assert len(places) == len(piece.memory)
                names += piece.memory.tolist()
    counts = Counter(names)
    assert set(counts.values()) <= {1, 2}
    assert len(counts) <= len(names) / 2 + bands, "one that waits for its copy in each band"


def test_copies_are_read_once(host: Seq2SeqHost) -> None:
    split, before = pairs(64), host.usage.encoded
    assert Counter(drawn(queue(host, split=split, copies=2), 128)) == Counter(2 * split)
    assert host.usage.encoded - before == 64


def test_long_sentences_are_as_frequent_as_short_ones(host: Seq2SeqHost) -> None:
    split = pairs(64)
    episodes = queue(host, split=split, lanes=64, bands=4)
    rng, seen = np.random.default_rng(0), Counter[Pair]()
    for _ in range(200):  # the lanes of one band finish far more often than the others
        bands = rng.choice(4, size=rng.integers(1, 20), p=[0.7, 0.1, 0.1, 0.1])
        seen.update(pair for _, piece in episodes.take(bands) for pair in piece.pairs)
    times = [seen[pair] / count for pair, count in Counter(split).items()]
    assert min(times) >= 20
    assert max(times) - min(times) <= 4, "256 are read at a time, and all used before the next"


def test_a_split_may_be_smaller_than_a_batch(host: Seq2SeqHost) -> None:
    assert set(drawn(queue(host, split=PAIRS[:2]), 25)) == set(PAIRS[:2])


def test_pieces_add_up_to_what_was_asked_for(host: Seq2SeqHost) -> None:
    whole, parts = queue(host), queue(host)
    counts = [1, 5, 2, 7, 3, 4]
    taken = [drawn(parts, count) for count in counts]
    assert [len(piece) for piece in taken] == counts
    assert [pair for piece in taken for pair in piece] == drawn(whole, sum(counts))


@pytest.mark.parametrize("prefix", ["free", "reference", "host"])
def test_each_sentence_comes_with_its_own_memory(each_host: Seq2SeqHost, prefix: str) -> None:
    episodes = queue(each_host, prefix=prefix)
    for piece in take(episodes, 20):
        for row, pair in enumerate(piece.pairs):
            ids = each_host.tokenize([pair.source], SOURCE).ids
            memory = compact(each_host.encode(ids).memory[0]).float()
            names = piece.memory[row] + torch.arange(len(memory))
            assert torch.allclose(episodes.memories.gather(names).float(), memory, atol=2e-2)
            assert piece.encoded.mask[piece.rows[row]].sum() == len(memory)


def test_the_references_are_fed_back(host: Seq2SeqHost) -> None:
    for piece in take(queue(host, prefix="reference"), 30):
        for row, pair in zip(piece.targets, piece.pairs, strict=True):
            target = host.tokenize_target([pair.target], TARGET).ids[0]
            assert row.tolist() == target + [0] * (TARGET - len(target))


def test_the_own_output_is_fed_back(each_host: Seq2SeqHost) -> None:
    split = PAIRS[:16]
    written = generate(each_host, [pair.source for pair in split])
    targets = dict(zip(split, written, strict=True))
    for piece in take(queue(each_host, split=split, prefix="host"), 32):  # two epochs
        for row, pair in zip(piece.targets, piece.pairs, strict=True):
            assert row.tolist() == targets[pair] + [0] * (TARGET - len(targets[pair]))


@pytest.mark.parametrize("prefix", ["reference", "host"])
def test_native_outputs_along_the_prefix_come_with_it(each_host: Seq2SeqHost, prefix: str) -> None:
    episodes = queue(each_host, split=PAIRS[:16], prefix=prefix)
    for piece in take(episodes, 32):  # two epochs: the first time the host writes, then it recalls
        for row, pair in enumerate(piece.pairs):
            target = np.trim_zeros(piece.targets[row]).tolist()
            encoded = each_host.encode(each_host.tokenize([pair.source], SOURCE).ids)
            forced = each_host.force(encoded, [target])[0]
            names = piece.native[row] + torch.arange(len(target))
            assert torch.allclose(episodes.natives.gather(names), forced, atol=1e-4)


@pytest.mark.parametrize(("prefix", "native"), [("host", False), ("free", True)])
def test_native_outputs_that_nobody_wants_are_not_kept(
    host: Seq2SeqHost, prefix: str, native: bool
) -> None:
    episodes = queue(host, prefix=prefix, native=native)
    drawn(episodes, 40)
    assert episodes.natives.end == 0


@pytest.mark.parametrize(("prefix", "cut"), [("host", 32), ("free", 32), ("reference", 64)])
def test_what_is_too_long_is_cut_and_counted(host: Seq2SeqHost, prefix: str, cut: int) -> None:
    split = [Pair("ba be bi bo bu", "ba be bi bo bu"), Pair("ba", "be")]
    episodes = queue(host, split=split, prefix=prefix, max_source=4, max_target=4)
    for piece in take(episodes, 64):
        assert piece.encoded.mask.sum(1).max() <= 4
        if prefix == "reference":
            assert {row[row > 0][-1] for row in piece.targets} == {EOS}
    assert episodes.truncated == cut


def test_waiting_sentences_are_not_released(host: Seq2SeqHost) -> None:
    episodes = queue(host, prefix="reference")
    drawn(episodes, 3)
    memory, native = episodes.oldest, episodes.oldest_native
    episodes.memories.release(memory)
    episodes.natives.release(native)
    for piece in take(episodes, 61):
        episodes.memories.gather(torch.from_numpy(piece.memory))
        episodes.natives.gather(torch.from_numpy(piece.native))
    now = episodes.oldest, episodes.oldest_native
    assert now == (episodes.memories.end, episodes.natives.end)
