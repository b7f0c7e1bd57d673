"""Lessons hold every sentence once an epoch, with the tokens that a prefix is made of."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from rlattn.agents.lessons import GivenPrefix, Lesson, lessons
from rlattn.hosts import Seq2SeqHost
from tests.hosts.tiny import SOURCE, TARGET, generate, pairs

LANES = 4
PAIRS = pairs(8 * LANES)


def drawn(host: Seq2SeqHost, prefix: GivenPrefix, count: int, seed: int = 0) -> list[Lesson]:
    limits = {"lanes": LANES, "max_source": SOURCE, "max_target": TARGET}
    return list(islice(lessons(host, PAIRS, prefix=prefix, seed=seed, **limits), count))


def texts(host: Seq2SeqHost, found: list[Lesson]) -> list[tuple[str, str]]:
    """Each lane's source and target."""
    return [
        (host.detokenize([source])[0], host.detokenize([target])[0])
        for lesson in found
        for source, target in zip(lesson.source.tolist(), lesson.targets.tolist(), strict=True)
    ]


def test_an_epoch_holds_every_sentence_once(host: Seq2SeqHost) -> None:
    found = texts(host, drawn(host, "reference", 16))
    for epoch in (found[: len(PAIRS)], found[len(PAIRS) :]):
        assert sorted(epoch) == sorted(map(tuple, PAIRS))
    assert found[: len(PAIRS)] != found[len(PAIRS) :]


def test_the_same_seed_gives_the_same_order(host: Seq2SeqHost) -> None:
    first, again, other = (texts(host, drawn(host, "reference", 8, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_hosts_own_targets_are_what_it_generates(host: Seq2SeqHost) -> None:
    # The second epoch remembers them.
    for lesson in drawn(host, "host", 16):
        sources = host.detokenize(lesson.source.tolist())
        rows = zip(lesson.targets.tolist(), lesson.lengths, strict=True)
        assert [row[:length] for row, length in rows] == generate(host, sources)


@pytest.mark.parametrize("prefix", ["reference", "host"])
def test_lanes_with_longer_targets_come_first(host: Seq2SeqHost, prefix: GivenPrefix) -> None:
    for lesson in drawn(host, prefix, 8):
        assert sorted(lesson.lengths, reverse=True) == lesson.lengths.tolist()
        live = [lesson.live(step) for step in range(lesson.targets.shape[1])]
        assert sum(live) == lesson.tokens
        assert live[-1] >= 1


def test_what_is_encoded_belongs_to_its_lane(host: Seq2SeqHost) -> None:
    for lesson in drawn(host, "reference", 4):
        for lane, length in enumerate(lesson.encoded.lengths):
            alone = host.encode([lesson.source[lane, :length].tolist()])
            assert torch.allclose(lesson.encoded.memory[lane, :length], alone.memory[0], atol=1e-5)
            assert torch.allclose(
                lesson.encoded.cross[:, lane, :, :length], alone.cross[:, 0], atol=1e-5
            )
