"""What an allocation does to the attention: nothing, exactly what it says, and where it says."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from rlattn.steering import Allocation, Steering, steer
from rlattn.steering.attention import steered_weights
from tests.steering.readers import HEADS, LANES, LAYERS, SOURCE, Reader

NATIVE = {
    "none": None,
    "bias": Allocation("bias", torch.zeros(LANES, SOURCE)),
    "scale": Allocation("scale", torch.ones(LANES, SOURCE)),
    "gate": Allocation("gate", torch.ones(LANES, SOURCE, dtype=torch.bool)),
    "mix": Allocation("mix", torch.ones(LANES, SOURCE), weight=torch.zeros(LANES)),
}
"""One way for each mode to leave the attention as it is."""


def one_position(reader: Reader) -> Tensor:
    """The gate that leaves one valid position of every lane open."""
    position = torch.randint(SOURCE, (LANES,)) % reader.valid.sum(1)
    return torch.arange(SOURCE) == position[:, None]


def distribution(*shape: int, valid: Tensor) -> Tensor:
    """Random weights that sum to one over the valid positions."""
    return torch.randn(shape).masked_fill(~valid, -torch.inf).softmax(-1)


def random_allocation(mode: str) -> Allocation:
    """A strong allocation that leaves the first position of every lane open."""
    if mode == "gate":
        gate = torch.rand(LANES, SOURCE) < 0.3
        gate[:, 0] = True
        return Allocation("gate", gate)
    if mode == "bias":
        return Allocation("bias", 3 * torch.randn(LANES, SOURCE))
    if mode == "scale":
        return Allocation("scale", torch.randn(LANES, SOURCE).exp())
    weight = torch.rand(LANES) if mode == "mix" else None
    return Allocation(mode, torch.rand(LANES, SOURCE), weight)


@pytest.mark.parametrize("own", ["sdpa", "eager"])
@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("allocation", NATIVE.values(), ids=NATIVE)
def test_a_native_allocation_changes_nothing(
    reader: Reader, allocation: Allocation | None, record: bool, own: str
) -> None:
    if own == "eager":
        reader.model.set_attn_implementation("eager")
    logits, tokens = reader.logits(), reader.tokens()
    with steer(reader.model, allocation, record=record):
        assert (reader.logits() - logits).abs().max() < 1e-5
        assert torch.equal(reader.tokens(), tokens)


def test_native_attention_is_recorded_as_the_model_computes_it(reader: Reader) -> None:
    reader.model.set_attn_implementation("eager")
    with torch.no_grad():
        own = torch.stack(reader.forward(output_attentions=True).cross_attentions)
    with steer(reader.model, None, record=True) as steering:
        reader.logits()
    assert torch.allclose(steering.attention, own.mean((0, 2)), atol=1e-6)


def test_behind_a_one_position_gate_only_that_position_is_read(reader: Reader) -> None:
    gate = one_position(reader)
    with torch.no_grad():
        memory = reader.model.get_encoder()(**reader.inputs).last_hidden_state
        noise = torch.where(gate[:, :, None], memory, torch.randn_like(memory))
        with steer(reader.model, Allocation("gate", gate), record=True) as steering:
            read = reader.forward(encoder_outputs=BaseModelOutput(memory)).logits
            same = reader.forward(encoder_outputs=BaseModelOutput(noise)).logits
    assert (read - same).abs().max() < 1e-5
    assert torch.equal(steering.attention, gate[:, None].expand_as(steering.attention).float())
    assert (read - reader.logits()).abs().max() > 1e-3


def test_replace_puts_its_weights_in_every_layer_and_head(reader: Reader) -> None:
    shape = (LANES, LAYERS, HEADS, SOURCE)
    weights = distribution(*shape, valid=reader.valid[:, None, None])
    with torch.no_grad(), steer(reader.model, Allocation("replace", weights)):
        shown = reader.forward(output_attentions=True).cross_attentions
    for layer, attention in enumerate(shown):
        assert torch.allclose(attention, weights[:, layer, :, None].expand_as(attention), atol=1e-6)


def test_weights_are_renormalised_and_padding_stays_shut(marian: Reader) -> None:
    with steer(marian.model, Allocation("replace", torch.ones(LANES, SOURCE)), record=True) as now:
        marian.logits()
    expected = marian.valid / marian.valid.sum(1, keepdim=True)
    assert torch.allclose(now.attention, expected[:, None].expand_as(now.attention))


def test_mix_lies_between_native_and_replace(marian: Reader) -> None:
    values = distribution(LANES, SOURCE, valid=marian.valid)
    weight = torch.tensor([0.0, 0.3, 1.0])
    with steer(marian.model, None, layers=[0], record=True) as steering:
        attention = {}
        # The first layer alone: in those above, native attention is not what it was.
        for allocation in (None, Allocation("replace", values), Allocation("mix", values, weight)):
            steering.allocation = allocation
            with torch.no_grad():
                cross = marian.forward(output_attentions=True).cross_attentions
            attention[allocation.mode if allocation else "native"] = cross[0]
    share = weight[:, None, None, None]
    expected = (1 - share) * attention["native"] + share * attention["replace"]
    assert torch.allclose(attention["mix"], expected, atol=1e-6)


def test_bias_is_added_to_the_logits(marian: Reader) -> None:
    bias = torch.randn(LANES, SOURCE)
    with torch.no_grad(), steer(marian.model, None) as steering:
        native = marian.forward(output_attentions=True).cross_attentions[0]
        steering.allocation = Allocation("bias", bias)
        steered = marian.forward(output_attentions=True).cross_attentions[0]
    expected = native * bias.exp()[:, None, None]
    assert torch.allclose(steered, expected / expected.sum(-1, keepdim=True), atol=1e-6)


@pytest.mark.parametrize("heads", [HEADS, 1])
def test_a_mix_weight_may_differ_by_layer_and_head(marian: Reader, heads: int) -> None:
    values, weight = distribution(LANES, SOURCE, valid=marian.valid), torch.rand(LANES, 2, heads)

    def attention(weight: Tensor, layer: int) -> Tensor:
        with torch.no_grad(), steer(marian.model, Allocation("mix", values, weight)):
            return marian.forward(output_attentions=True).cross_attentions[layer]

    for layer in range(LAYERS):
        # The layers below stay as they are, so that this one sees the same.
        share = weight[:, layer, :, None, None]
        native = attention(weight.index_fill(1, torch.tensor(layer), 0.0), layer)
        expected = (1 - share) * native + share * values[:, None, None]
        assert torch.allclose(attention(weight, layer), expected, atol=1e-6)


def test_scale_sharpens_and_flattens_the_native_attention(marian: Reader) -> None:
    factor = torch.tensor([0.25, 1.0, 4.0])[:, None]
    with torch.no_grad(), steer(marian.model, None) as steering:
        native = marian.forward(output_attentions=True).cross_attentions[0]
        steering.allocation = Allocation("scale", factor.expand(LANES, SOURCE))
        scaled = marian.forward(output_attentions=True).cross_attentions[0]
    expected = native ** factor[:, None, None]
    assert torch.allclose(scaled, expected / expected.sum(-1, keepdim=True), atol=1e-6)


def test_only_the_chosen_layers_and_heads_are_steered(reader: Reader) -> None:
    gate = one_position(reader)
    with torch.no_grad(), steer(reader.model, None) as steering:
        native = reader.forward(output_attentions=True).cross_attentions
    steering = steer(reader.model, Allocation("gate", gate), layers=[0], heads=[1])
    with torch.no_grad(), steering:
        first, second = reader.forward(output_attentions=True).cross_attentions
    assert torch.equal(first[:, 1], gate[:, None].expand_as(first[:, 1]).float())
    assert torch.allclose(first[:, 0], native[0][:, 0], atol=1e-6)
    assert second.max() < 1


def test_what_is_said_of_heads_that_are_not_chosen_does_not_matter(marian: Reader) -> None:
    gate = torch.zeros(LANES, LAYERS, HEADS, SOURCE, dtype=torch.bool)
    gate[:, 1, 0] = True
    logits = marian.logits()
    with steer(marian.model, Allocation("gate", gate), layers=[1], heads=[0]):
        assert (marian.logits() - logits).abs().max() < 1e-5


@pytest.mark.parametrize("mode", ["bias", "scale", "gate", "replace", "mix"])
def test_a_padded_lane_is_steered_as_if_it_were_alone(marian: Reader, mode: str) -> None:
    allocation = random_allocation(mode)
    with steer(marian.model, allocation):
        together, written = marian.logits(), marian.tokens()
    for lane, length in enumerate(marian.valid.sum(1).tolist()):
        one = slice(lane, lane + 1)
        inputs = {name: tensor[one, :length] for name, tensor in marian.inputs.items()}
        single = Reader(marian.model, inputs, marian.valid[one, :length], marian.target[one])
        weight = allocation.weight if allocation.weight is None else allocation.weight[one]
        with steer(single.model, Allocation(mode, allocation.values[one, :length], weight)):
            assert (single.logits() - together[one]).abs().max() < 1e-5
            alone = single.tokens()
        assert torch.equal(alone, written[one, : alone.shape[1]])


def test_floats_of_0_and_1_are_the_gate_of_bools(reader: Reader) -> None:
    gate = random_allocation("gate")
    with steer(reader.model, gate, record=True) as steering:
        logits, attention = reader.logits(), steering.attention
        steering.allocation = Allocation("gate", gate.values.float())
        assert (reader.logits() - logits).abs().max() < 1e-5
    assert torch.allclose(steering.attention, attention, atol=1e-6)
    assert not steering.attention.masked_fill(gate.values[:, None], 0.0).any()


def test_what_is_open_in_part_is_read_less(marian: Reader) -> None:
    values = torch.rand(LANES, SOURCE)
    with torch.no_grad(), steer(marian.model, None) as steering:
        native = marian.forward(output_attentions=True).cross_attentions[0]
        steering.allocation = Allocation("gate", values)
        steered = marian.forward(output_attentions=True).cross_attentions[0]
    expected = native * values[:, None, None]
    assert torch.allclose(steered, expected / expected.sum(-1, keepdim=True), atol=1e-6)


def test_what_native_attention_passes_over_can_still_be_all_that_is_open() -> None:
    logits = torch.tensor([[[[0.0, 200.0, -200.0, -201.0]]]])
    values = torch.tensor([[0.0, 0.0, 1.0, 0.5]], requires_grad=True)
    weights = steered_weights(logits, None, Allocation("gate", values), 0, None, check=True)
    assert weights.sum().item() == pytest.approx(1.0)
    assert weights[..., 3].item() == pytest.approx(0.5 / (0.5 + math.e))
    (gradient,) = torch.autograd.grad(weights[..., 2].sum(), values)
    assert gradient.isfinite().all()
    assert (gradient[0, :2] < 0).all(), "what is shut would take from it"


@pytest.mark.parametrize("mode", ["bias", "scale", "gate", "replace", "mix"])
def test_gradients_flow_through_an_allocation(marian: Reader, mode: str) -> None:
    marian.model.double().requires_grad_(False)
    given = random_allocation(mode)
    # Within (0, 1), where it is as well a step to either side.
    gate = torch.rand(LANES, SOURCE, dtype=torch.double) / 2 + 0.25
    values = (gate if mode == "gate" else given.values.double()).requires_grad_()
    weight = torch.full((LANES,), 0.5, dtype=torch.double, requires_grad=True)

    def logits(values: Tensor, weight: Tensor) -> Tensor:
        mixed = weight if mode == "mix" else None
        with steer(marian.model, Allocation(mode, values, mixed)):
            return marian.forward().logits[:, -1, :8]

    assert torch.autograd.gradcheck(logits, (values, weight))


def test_attention_is_kept_only_when_asked(marian: Reader) -> None:
    with Steering(marian.model) as steering:
        marian.logits()
    assert steering.attention is None
