"""Observation spaces are flat, finite, and tell the two kinds of memory apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, MultiBinary

from rlattn.envs.spaces import observation_space
from rlattn.hosts import Seq2SeqHost
from tests.envs.cores import make
from tests.hosts.tiny import SOURCE


@pytest.mark.parametrize("handles", [False, True])
def test_every_part_is_flat_and_bounded(each_host: Seq2SeqHost, handles: bool) -> None:
    space = observation_space(make(each_host), handles=handles)
    assert ("memory" in space.spaces, "episode" in space.spaces) == (not handles, handles)
    for part in space.spaces.values():
        assert isinstance(part, Box | MultiBinary)
        assert len(part.shape) == 1
        if isinstance(part, Box):
            assert np.isfinite(part.low.astype(float)).all()
            assert np.isfinite(part.high.astype(float)).all()
    assert space["mask"].n == SOURCE
    assert space["state"].shape == (each_host.d_state,)
    assert space["token"].shape == ((2,) if handles else (each_host.d_state,))
    assert "source" not in space.spaces
    if not handles:
        assert space["memory"].shape == (SOURCE * each_host.d_model,)
        assert space["memory"].dtype == np.float16


def test_the_source_is_seen_where_actions_depend_on_its_tokens(host: Seq2SeqHost) -> None:
    core = make(host, action="per-layer:gate:sentence:5,9")
    assert observation_space(core, handles=True)["source"].high.tolist() == [62] * SOURCE
    view = core.reset(0)
    for _ in range(30):
        for lane in range(core.lanes):
            (ids,) = host.tokenize([core.pair(lane).source], SOURCE).ids
            assert view["source"][lane, view["mask"][lane]].tolist() == ids
        shut = torch.zeros(core.lanes, core.family.size(SOURCE))
        view = core.step(shut).view
