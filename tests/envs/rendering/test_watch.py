"""What a watch remembers is what the core did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from rlattn.envs.rendering.watch import Watch
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.pieces import tokens
from tests.envs.cores import LANES, make
from tests.hosts.tiny import SOURCE

EVERY_ACTION = pytest.mark.parametrize(
    "action", ["gate", "bias", "position", "topk:2", "simplex", "window"]
)
EVERY_PREFIX = pytest.mark.parametrize("prefix", ["free", "reference", "host"])


@EVERY_ACTION
@EVERY_PREFIX
def test_it_keeps_what_each_step_did(host: Seq2SeqHost, action: str, prefix: str) -> None:
    settings: dict[str, Any] = {"action": action, "prefix": prefix}
    watched, core = make(host, **settings), make(host, **settings)
    watch = Watch(watched)
    watched.reset(0)
    watch.restart()
    core.reset(0)
    space = core.family.space(SOURCE)
    space.seed(0)
    attention: list[list[np.ndarray]] = [[] for _ in range(LANES)]
    written: list[list[int]] = [[] for _ in range(LANES)]
    over, finished = np.ones(LANES, bool), 0
    for _ in range(20):
        for lane in np.flatnonzero(over):
            attention[lane], written[lane] = [], []
        lengths = core.mask.sum(-1)
        sources = [core.pair(lane).source for lane in range(LANES)]
        taken = torch.as_tensor(np.stack([space.sample() for _ in range(LANES)])).float()
        narrowed = core.family.narrow(taken, SOURCE)
        reads = core.family.reads(narrowed, core.mask)
        watch.step(taken)
        transition = core.step(taken)
        over = transition.terminated | transition.truncated
        finished += over.sum()
        last = iter(transition.final_view["attention"] if transition.final_view else ())
        for lane in range(LANES):
            looked = next(last) if over[lane] else transition.view["attention"][lane]
            attention[lane].append(looked[: lengths[lane]].numpy())
            written[lane].append(int(transition.token[lane]))
            shown = watch.alignment(lane)
            source, target = watch.ids(lane)
            assert host.detokenize([source]) == [sources[lane]]
            assert target == written[lane]
            assert shown.source == tokens(host, source)
            assert shown.target == tokens(host, target)
            assert np.array_equal(shown.attention, attention[lane])
            assert shown.attention.sum(-1) == pytest.approx(1, abs=1e-4)
            assert shown.opened[-1].sum() == reads[lane]
            assert not shown.attention[~shown.opened].any()
    assert finished >= 3


def test_a_reset_forgets_what_was_seen(host: Seq2SeqHost) -> None:
    core = make(host)
    core.reset(0)
    watch = Watch(core)
    watch.restart()
    watch.step(torch.ones(LANES, SOURCE))
    assert len(watch.alignment(0).target) == 1
    core.reset()
    watch.restart()
    shown = watch.alignment(0)
    assert shown.target == []
    assert shown.attention.shape == shown.opened.shape == (0, len(shown.source))
    assert host.detokenize(watch.ids(0)[:1]) == [core.pair(0).source]
