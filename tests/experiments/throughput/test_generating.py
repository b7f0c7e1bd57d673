"""Plain and steered `generate()`: as many tokens, and steering that steers."""

from __future__ import annotations

import pytest

from rlattn.experiments.throughput import generating
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Workload

LANES = 3


@pytest.mark.parametrize("beams", [1, generating.BEAMS])
def test_all_write_the_same_number_of_tokens(tiny: Workload, beams: int) -> None:
    batches = tiny.batches(LANES)[:2]
    contestants: list[Contestant] = [
        generating.plain(tiny, batches, beams),
        generating.steered(tiny, batches, beams),
    ]
    if beams == 1:
        contestants.append(generating.under_policy(tiny, batches))
    for contestant in contestants:
        assert [contestant.work() for _ in batches] == [LANES * batch.steps for batch in batches]
        assert contestant.pieces == len(batches)


def test_warming_up_leaves_the_turn_where_it_is(tiny: Workload) -> None:
    batches = tiny.batches(LANES)
    contestant = generating.steered(tiny, batches)
    assert contestant.warm_up is not None
    contestant.warm_up()
    assert contestant.work() == LANES * batches[0].steps
