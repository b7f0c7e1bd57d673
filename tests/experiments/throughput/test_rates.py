"""Every face of the environment does the steps that it is counted for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rlattn.envs.queue import AHEAD
from rlattn.experiments.throughput import rates
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Workload

LANES = 3
FACES = [rates.env, rates.vector_env, rates.fidelity, rates.default_env]


@pytest.mark.parametrize("face", FACES)
def test_a_whole_is_as_long_as_what_is_read_ahead(
    tiny: Workload, face: Callable[[Workload, int], Contestant]
) -> None:
    contestant = face(tiny, LANES)
    assert contestant.pieces == AHEAD
    assert contestant.work() == LANES * tiny.steps


@pytest.mark.parametrize(("lanes", "singles"), [(1, 1), (64, 2)])
def test_of_single_environments_there_are_few(tiny: Workload, lanes: int, singles: int) -> None:
    assert rates.dummy(tiny, lanes).work() == singles * tiny.steps
