"""Gates: what their actions open."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rlattn.actions import make_family
from rlattn.actions.gate import Gate
from tests.actions.distributions.test_bernoulli import every_set
from tests.actions.specs import family_for


def test_the_allocation_opens_valid_positions_only() -> None:
    mask = torch.tensor([[True, True, True], [True, True, False]])
    action = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    allocation = Gate().allocation(action, mask)
    assert allocation.mode == "gate"
    assert allocation.values.tolist() == [[True, False, True], [False, True, False]]
    assert Gate().reads(action, mask).tolist() == [2.0, 1.0]


def test_an_empty_action_opens_the_last_valid_position() -> None:
    mask = torch.tensor([[True, True, True], [True, True, False]])
    action = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert Gate().allocation(action, mask).values.int().tolist() == [[0, 0, 1], [0, 1, 0]]
    assert Gate().reads(action, mask).tolist() == [1.0, 1.0]


def test_every_action_of_the_space_is_legal() -> None:
    family, mask = make_family("gate"), torch.arange(4) < torch.tensor([4, 2, 1])[:, None]
    for action in every_set(4).tolist():
        rows = torch.tensor([action] * 3)
        assert family.space(4).contains(rows[0].numpy().astype(np.int8))
        opened = family.allocation(rows, mask).values
        assert opened.any(-1).all()
        assert not (opened & ~mask).any()
        assert torch.equal(family.reads(rows, mask), opened.sum(-1).float())


def test_samples_are_actions_of_the_space() -> None:
    family = make_family("gate")
    assert len(family.initial) == 1
    parameters, mask = torch.randn(9, 6, 1), torch.arange(6) < torch.arange(1, 10)[:, None]
    sample = family.distribution(parameters, mask).sample()
    for row in sample.numpy().astype(np.int8):
        assert family.space(6).contains(row)


SHARED = torch.arange(7) < torch.tensor([[7], [4], [1]])
EVERY_TIE = pytest.mark.parametrize("spec", ["gate:3", "gate:sentence:1", "gate:sentence:9"])
SEGMENTS = {"gate:3": (3, 2, 1), "gate:sentence:1": (3, 2, 1), "gate:sentence:9": (1, 1, 1)}
"""How many segments each lane has."""


@EVERY_TIE
def test_neighbours_that_share_a_gate_are_open_or_shut_together(spec: str) -> None:
    family = family_for(spec, SHARED)
    for lane, segments in enumerate(SEGMENTS[spec]):
        seen = set()
        for row in every_set(segments):
            action = family.widen(row[None], 7)[:, : family.size(7)].expand(3, -1)
            opened = family.opened(action, SHARED)[lane]
            assert opened.any()
            assert not (opened & ~SHARED[lane]).any()
            changes = (opened[1:] != opened[:-1]).nonzero().flatten() + 1
            assert all(change in (2, 3, 5, 6, int(SHARED[lane].sum())) for change in changes)
            seen.add(tuple(opened.tolist()))
        assert len(seen) == 2**segments - 1, "every set of segments can be opened"


@EVERY_TIE
def test_the_density_of_shared_gates_adds_up_over_all_sets(spec: str) -> None:
    family = family_for(spec, SHARED)
    distribution = family.distribution(2 * torch.randn(3, 7, 1), SHARED)
    for lane, segments in enumerate(SEGMENTS[spec]):
        sets = torch.nn.functional.pad(every_set(segments), (0, family.size(7) - segments))
        log_prob = torch.stack([distribution.log_prob(row.expand(3, -1))[lane] for row in sets])
        assert log_prob.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
        entropy = -(log_prob.exp() * log_prob).sum()
        assert distribution.entropy()[lane].item() == pytest.approx(entropy.item(), abs=1e-5)
        assert torch.equal(distribution.mode()[lane], sets[log_prob.argmax()])


def test_blocks_of_one_are_plain_gates() -> None:
    plain, blocks = make_family("gate"), make_family("gate:1")
    parameters, action = torch.randn(3, 7, 1), torch.randint(2, (3, 7)).float()
    ours, theirs = (f.distribution(parameters, SHARED) for f in (blocks, plain))
    taken = theirs.sample()
    assert torch.allclose(ours.log_prob(taken), theirs.log_prob(taken), atol=1e-6)
    assert torch.allclose(ours.entropy(), theirs.entropy(), atol=1e-6)
    assert torch.equal(blocks.opened(action, SHARED), plain.opened(action, SHARED))


def test_an_action_that_shuts_all_segments_opens_the_last() -> None:
    opened = make_family("gate:3").opened(torch.zeros(3, 3), SHARED).int().tolist()
    assert opened == [[0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0]]


def test_a_block_has_one_bit_and_so_may_every_sentence() -> None:
    assert make_family("gate:16").space(64).n == 4
    assert make_family("gate:16").space(65).n == 5
    assert make_family("gate:sentence:5").space(64).n == 64


@pytest.mark.parametrize("spec", ["gate", "gate:2", "gate:sentence:1"])
def test_relaxed_gates_of_zeros_and_ones_do_what_an_action_does(spec: str) -> None:
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    family = family_for(spec, mask)
    action = family.distribution(torch.randn(3, 6, 1), mask).sample()
    hard, soft = family.allocation(action, mask), family.relaxed(action, mask)
    assert soft.values.is_floating_point()
    assert torch.equal(soft.values.bool(), hard.values)
    assert set(soft.values.unique().tolist()) <= {0.0, 1.0}
