"""Observation spaces are flat, finite, and tell the two kinds of memory apart."""

from __future__ import annotations

import numpy as np
import pytest
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
    if not handles:
        assert space["memory"].shape == (SOURCE * each_host.d_model,)
        assert space["memory"].dtype == np.float16
