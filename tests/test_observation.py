"""An observer remembers, for each lane on its own, where it looked and what state it was in."""

from __future__ import annotations

import pytest
import torch

from rlattn.observation import Observer, compact

LANES, SOURCE, WIDTH = 3, 5, 4
MASK = torch.arange(SOURCE) < torch.tensor([[5], [3], [2]])


def attention(width: int = SOURCE) -> torch.Tensor:
    """Random attention over the first positions."""
    return torch.rand(LANES, width).softmax(-1)


@pytest.fixture
def observer() -> Observer:
    return Observer(LANES, SOURCE, WIDTH, torch.device("cpu"))


def test_memories_become_half_precision_and_finite() -> None:
    memory = torch.tensor([[0.1, -3.0, 1e9], [-torch.inf, torch.inf, 0.0]])
    seen = compact(memory)
    assert seen.dtype == torch.float16
    assert seen.isfinite().all()
    assert torch.allclose(seen[0, :2].float(), memory[0, :2], rtol=1e-3)
    assert seen[1].tolist() == [-65504.0, 65504.0, 0.0]


def test_at_the_start_there_is_no_past(observer: Observer) -> None:
    view = observer.view(MASK)
    assert set(view) == {"mask", "state", "attention", "coverage"}
    assert view["state"].shape == (LANES, WIDTH)
    for name in ("state", "attention", "coverage"):
        assert not view[name].any()
    assert torch.equal(view["mask"], MASK)


def test_it_sees_the_last_attention_and_the_sum_of_all(observer: Observer) -> None:
    steps = [attention() for _ in range(4)]
    hidden = torch.randn(4, LANES, WIDTH)
    for state, step in zip(hidden, steps, strict=True):
        observer.record(state, step)
    view = observer.view(MASK)
    assert torch.equal(view["attention"], steps[-1])
    assert torch.allclose(view["coverage"], sum(steps))
    assert torch.equal(view["state"], hidden[-1])


def test_a_lane_that_restarts_forgets_and_the_others_do_not(observer: Observer) -> None:
    observer.record(torch.ones(LANES, WIDTH), attention())
    before = observer.view(MASK)
    observer.restart(torch.tensor([1]))
    after = observer.view(MASK)
    for name in ("state", "attention", "coverage"):
        assert not after[name][1].any()
        assert torch.equal(after[name][[0, 2]], before[name][[0, 2]])


def test_sources_may_get_shorter(observer: Observer) -> None:
    first, second = attention(), attention(2)
    observer.record(torch.zeros(LANES, WIDTH), first)
    observer.record(torch.zeros(LANES, WIDTH), second)
    view = observer.view(MASK)
    wide = torch.nn.functional.pad(second, (0, SOURCE - 2))
    assert torch.equal(view["attention"], wide)
    assert torch.allclose(view["coverage"], first + wide)


def test_what_is_covered_may_be_more_than_was_attended_to(observer: Observer) -> None:
    covered = torch.ones(LANES, SOURCE)
    looked = attention()
    observer.record(torch.zeros(LANES, WIDTH), looked, covered)
    view = observer.view(MASK)
    assert torch.equal(view["coverage"], covered)
    assert torch.equal(view["attention"], looked)


def test_later_steps_do_not_change_what_was_seen(observer: Observer) -> None:
    observer.record(torch.ones(LANES, WIDTH), attention())
    view = observer.view(MASK)
    kept = {name: tensor.clone() for name, tensor in view.items()}
    observer.record(torch.randn(LANES, WIDTH), attention())
    observer.restart(torch.arange(LANES))
    assert all(torch.equal(view[name], kept[name]) for name in view)


def test_some_lanes_see_what_they_see_among_all(observer: Observer) -> None:
    observer.record(torch.randn(LANES, WIDTH), attention())
    lanes = torch.tensor([0, 2])
    every, some = observer.view(MASK), observer.view(MASK, lanes)
    assert all(torch.equal(some[name], every[name][lanes]) for name in every)


def test_masks_of_shorter_sources_are_padded(observer: Observer) -> None:
    narrow = MASK[1:, :3]
    assert torch.equal(observer.view(narrow)["mask"], MASK[1:])
