"""A meter counts what a host does while it runs."""

from __future__ import annotations

import numpy as np
import torch

from rlattn.agents import Meter, Spent
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost


def work(host: Seq2SeqHost, lanes: int, steps: int) -> None:
    encoded = host.encode([[5, 6, 7]] * lanes)
    decoder = LaneDecoder(host, LaneSources.of(encoded), steps)
    for _ in range(steps):
        decoder.step(torch.full((lanes,), 5))


def counted(spent: Spent) -> tuple[int, int, int]:
    return spent.encoded, spent.forwards, spent.backwards


def test_sources_and_target_tokens_are_counted(each_host: Seq2SeqHost) -> None:
    work(each_host, 1, 1)  # what is tried once per host is not what is asked about
    meter = Meter(each_host)
    work(each_host, 3, 4)
    assert counted(meter.spent) == (3, 12, 0)
    each_host.force(each_host.encode([[5, 6], [7]]), [[8, 9, 3], [4]])
    assert counted(meter.spent) == (5, 16, 0)
    assert meter.spent.seconds > 0


def test_a_pause_is_not_counted(host: Seq2SeqHost) -> None:
    meter = Meter(host)
    work(host, 2, 1)
    with meter.paused():
        work(host, 50, 2)
        assert meter.spent.encoded < 50
    host.usage.backwards += 5
    work(host, 2, 1)
    spent = meter.spent
    assert spent.encoded < 50
    assert spent.backwards == 5


def test_lanes_that_were_dropped_cost_nothing(host: Seq2SeqHost) -> None:
    decoder = LaneDecoder(host, LaneSources.of(host.encode([[5, 6]] * 4)), 2)
    decoder.step(torch.full((4,), 5))
    meter = Meter(host)
    decoder.keep(np.array([1]))
    decoder.step(torch.full((1,), 5))
    assert meter.spent.forwards == 1
