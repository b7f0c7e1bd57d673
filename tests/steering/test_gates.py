"""What is shut is not read: with gathered positions the result is that of masked ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.errors import SteeringError
from rlattn.steering import Allocation, gates, steer
from rlattn.steering.gates import Gate
from tests.steering.readers import HEADS, LANES, SOURCE, Reader


def gate_of(values: Tensor, mask: Tensor | None = None, few: float = 1.0) -> Gate:
    return Gate(Allocation("gate", values), mask, HEADS, torch.float32, few)


@pytest.fixture
def always_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LONG", 1)
    monkeypatch.setattr(gates, "FEW", 1.0)


def some_open(reader: Reader, seed: int = 0) -> Allocation:
    """A gate that shuts some positions, differently many in each lane."""
    opened = torch.rand(LANES, SOURCE, generator=torch.Generator().manual_seed(seed)) < 0.4
    opened[:, 1] = True
    return Allocation("gate", opened)


@pytest.mark.parametrize("record", [False, True])
def test_gathered_positions_give_what_masked_ones_give(
    reader: Reader, record: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with steer(reader.model, some_open(reader), record=record) as steering:
        # Several queries at once are masked either way: their masks may differ.
        reader.target = reader.target[:, :1]
        masked, written = reader.logits(), reader.tokens()
        attention = steering.attention
        monkeypatch.setattr(gates, "LONG", 1)
        monkeypatch.setattr(gates, "FEW", 1.0)
        assert torch.allclose(reader.logits(), masked, atol=1e-5)
        assert torch.equal(reader.tokens(), written)
    if record:
        assert steering.attention is not None
        assert attention is not None
        assert torch.allclose(steering.attention, attention, atol=1e-6)


@pytest.mark.usefixtures("always_gathered")
def test_shut_positions_are_not_even_looked_at(marian: Reader) -> None:
    allocation = some_open(marian)
    with torch.no_grad():
        memory = marian.model.get_encoder()(**marian.inputs).last_hidden_state
    spoilt = memory.masked_fill(~allocation.values[..., None], torch.nan)
    mask = marian.inputs["attention_mask"]
    marian.inputs = {"encoder_outputs": (spoilt,), "attention_mask": mask}
    marian.target = marian.target[:, :1]
    with steer(marian.model, allocation):
        assert marian.logits().isfinite().all()


@pytest.mark.usefixtures("always_gathered")
def test_returned_attention_lies_where_it_belongs(marian: Reader) -> None:
    marian.model.set_attn_implementation("eager")
    allocation = some_open(marian)
    with steer(marian.model, allocation), torch.no_grad():
        layers = marian.forward(output_attentions=True).cross_attentions
    opened = (allocation.values & marian.valid)[:, None, None]
    for weights in layers:
        assert weights.shape[-1] == SOURCE
        assert (weights.masked_fill(opened, 0.0) == 0).all()
        assert torch.allclose(weights.sum(-1), torch.ones(()))


@pytest.mark.usefixtures("always_gathered")
def test_gradients_reach_a_model_through_gathered_positions(marian: Reader) -> None:
    grads, marian.target = [], marian.target[:, :1]
    for long in (1, 1000):
        gates.LONG = long
        marian.model.zero_grad()
        with steer(marian.model, some_open(marian)):
            marian.forward().logits.logsumexp(-1).sum().backward()
        grads.append([p.grad.clone() for p in marian.model.parameters() if p.grad is not None])
    for ours, theirs in zip(*grads, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("layout", ["heads first", "positions first"])
@pytest.mark.usefixtures("always_gathered")
def test_rows_are_picked_from_any_layout(heads: int, layout: str) -> None:
    values = torch.tensor([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0]]).bool()
    gate = gate_of(values)
    rows = torch.randn(2, heads, 5, 4)
    if layout == "positions first":
        rows = rows.transpose(1, 2).contiguous().transpose(1, 2)
    picked = gate.pick("rows", rows)
    assert picked.shape == (2, heads, 3, 4)
    assert torch.equal(picked[0], rows[0][:, [0, 3, 4]])
    assert torch.equal(picked[1, :, 0], rows[1, :, 1])


@pytest.mark.usefixtures("always_gathered")
def test_picked_weights_go_back_to_their_places() -> None:
    values = torch.tensor([[1, 0, 0, 1, 1], [0, 1, 0, 0, 0]]).bool()
    gate = gate_of(values)
    weights = gate.bias.expand(-1, HEADS, -1, -1).softmax(-1)
    spread = gate.spread(weights)
    expected = values / values.sum(-1, keepdim=True)
    assert torch.allclose(spread, expected[:, None, None].expand(-1, HEADS, -1, -1))
    columns = torch.arange(5.0).expand(2, 1, 1, 5)
    assert gate.columns(columns)[0].flatten().tolist() == [0, 3, 4]


@pytest.mark.usefixtures("always_gathered")
@pytest.mark.parametrize("mask", ["bool", "additive"])
def test_padding_is_not_gathered(mask: str) -> None:
    values = torch.ones(2, 4, dtype=torch.bool)
    valid = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0]]).bool()[:, None, None]
    low = torch.zeros(2, 1, 1, 4).masked_fill(~valid, torch.finfo(torch.float32).min)
    gate = gate_of(values, valid if mask == "bool" else low)
    assert gate.index is not None
    assert gate.index.shape == (2, 2)
    assert torch.equal(gate.spread(gate.bias.softmax(-1)) > 0, valid)


@pytest.mark.usefixtures("always_gathered")
def test_a_lane_with_nothing_open_is_refused() -> None:
    values = torch.tensor([[1, 0], [0, 0]]).bool()
    with pytest.raises(SteeringError, match="no valid position open in lane 1"):
        gate_of(values)


def test_short_sources_and_open_gates_are_masked() -> None:
    few = torch.arange(gates.LONG) < 3
    assert gate_of(few[None]).index is not None
    assert gate_of(few[None, 1:]).index is None
    assert gate_of(~few[None], few=0.5).index is None


def test_a_lane_that_reads_little_takes_few_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LONG", 1)
    monkeypatch.setattr(gates, "PAGE", 4)
    opened = torch.arange(40) < torch.tensor([[1], [9], [40], [4]])
    memory = torch.arange(4 * 40.0).view(4, 40, 1)
    gate = Gate(Allocation("gate", opened), None, HEADS, torch.float32, 1.0, paged=True)
    read = gate.pick_once(memory)
    assert gate.pages is not None
    assert gate.pages.lane.bincount().tolist() == [1, 3, 10, 1]
    assert read.shape == (15, 4, 1)
    for lane in range(4):
        own = read[gate.pages.lane == lane].unique().long()
        assert torch.equal(own, 40 * lane + opened[lane].nonzero()[:, 0])


@pytest.mark.parametrize(("counts", "paged"), [([20, 20, 20], False), ([20, 1, 1], True)])
def test_pages_are_for_lanes_that_differ(
    counts: list[int], paged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LONG", 1)
    monkeypatch.setattr(gates, "PAGE", 4)
    opened = torch.arange(40) < torch.tensor(counts)[:, None]
    gate = Gate(Allocation("gate", opened), None, HEADS, torch.float32, 1.0, paged=True)
    assert (gate.pages is not None) == paged
