"""The context around a model: it leaves no trace, does not nest, and never fails in silence."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor

from rlattn.errors import RlattnError, SteeringError, UnsupportedModelError
from rlattn.steering import Allocation, Steering, steer
from tests.steering.readers import LANES, SOURCE, SUPPORTED, Reader, reader_of

GATE = Allocation("gate", torch.arange(SOURCE).expand(LANES, SOURCE) == 0)


def cross_attention(reader: Reader, layer: int) -> torch.nn.Module:
    return reader.model.get_decoder().layers[layer].encoder_attn


def test_a_model_is_not_kept_alive() -> None:
    reader = reader_of(SUPPORTED["Marian"]())
    with steer(reader.model, GATE):
        reader.logits()
    model = weakref.ref(reader.model)
    del reader
    gc.collect()
    assert model() is None


def test_attention_that_is_more_than_a_softmax_is_refused(
    marian: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attend(module: Any, query: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, None]:
        return 2 * query.transpose(1, 2), None

    marian.model.set_attn_implementation("eager")
    monkeypatch.setattr(
        "transformers.models.marian.modeling_marian.eager_attention_forward", attend
    )
    with pytest.raises(UnsupportedModelError, match="more than a softmax"):
        Steering(marian.model)


def test_a_layer_that_bypasses_the_interface_is_refused(marian: Reader) -> None:
    cross_attention(marian, 1).forward = lambda states, **_: (states, None)
    with pytest.raises(UnsupportedModelError, match=r"layers \[1\]"):
        Steering(marian.model)


def test_a_steering_that_does_not_fire_is_an_error(marian: Reader) -> None:
    with steer(marian.model, GATE) as steering:
        cross_attention(marian, 1).forward = lambda states, **_: (states, None)
        with pytest.raises(SteeringError, match=r"MarianMTModel.*layers \[1\]"):
            marian.logits()
    assert steering.attention is None
    with steer(marian.model, GATE, layers=[0]):
        marian.logits()  # the layer that was to be steered still is


def test_steerings_do_not_nest(marian: Reader) -> None:
    with steer(marian.model, GATE) as steering:
        logits = marian.logits()
        for again in (steering, steer(marian.model, None)):
            with pytest.raises(SteeringError, match="MarianMTModel is already being steered"):
                again.__enter__()
        with pytest.raises(SteeringError, match="being steered"):
            Steering(marian.model.model)
        assert torch.equal(marian.logits(), logits)


def test_models_that_share_a_config_are_steered_apart(marian: Reader) -> None:
    other = reader_of(type(marian.model)(marian.model.config))
    logits, own = other.logits(), marian.model.config._attn_implementation
    with steer(other.model, GATE):
        steered = other.logits()
    first, second = steer(marian.model, GATE), steer(other.model, GATE)
    with first:
        assert (other.logits() - logits).abs().max() < 1e-5
        second.__enter__()
    assert torch.equal(other.logits(), steered)
    second.__exit__(None, None, None)
    assert marian.model.config._attn_implementation == own
    assert torch.equal(other.logits(), logits)


@pytest.mark.parametrize(
    ("mode", "values", "weight", "message"),
    [
        ("push", torch.zeros(3, 7), None, "unknown steering mode 'push'"),
        ("bias", torch.zeros(7), None, r"shape \[7\]"),
        ("gate", torch.ones(3, 7).long(), None, "must be bool"),
        ("bias", torch.ones(3, 7, dtype=torch.bool), None, "floating-point"),
        ("mix", torch.ones(3, 7), None, "needs a weight"),
        ("bias", torch.ones(3, 7), torch.tensor(0.5), "no other mode"),
        ("mix", torch.ones(3, 7), torch.ones(7), r"shape \[7\].*\[3\]"),
        ("mix", torch.ones(3, 7), torch.ones(3, 2), r"shape \[3, 2\].*\[3, layers or 1, heads"),
    ],
)
def test_what_is_no_allocation_is_refused(
    mode: Any, values: Tensor, weight: Tensor | None, message: str
) -> None:
    with pytest.raises(RlattnError, match=message):
        Allocation(mode, values, weight)


def only(lane: int, value: float, other: float = 1.0) -> Tensor:
    """`[lanes, source]`, with `value` in one lane and `other` in the rest."""
    return torch.full((LANES, SOURCE), other).index_fill(0, torch.tensor(lane), value)


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        (Allocation("bias", torch.zeros(LANES, 4)), r"\[3, 4\].*3 lanes over 7 source"),
        (Allocation("bias", torch.zeros(1, SOURCE)), r"\[1, 7\].*3 lanes over 7 source"),
        (Allocation("bias", torch.zeros(LANES, 9, 1, SOURCE)), "2 layers of 2 heads"),
        (Allocation("bias", only(1, torch.nan)), "not finite in lane 1$"),
        (Allocation("bias", only(1, -torch.inf)), "not finite in lane 1$"),
        (Allocation("scale", only(1, 0)), "not above 0 in lane 1$"),
        (Allocation("scale", only(1, torch.inf)), "not finite or not above 0 in lane 1$"),
        (Allocation("gate", only(2, 0).bool()), "no valid position open in lane 2$"),
        (Allocation("gate", torch.arange(SOURCE).expand(3, -1) >= 4), "open in lanes 1, 2$"),
        (Allocation("gate", only(2, 0)), "no valid position open in lane 2$"),
        (Allocation("gate", only(1, 1.5)), r"not in \[0, 1\] in lane 1$"),
        (Allocation("gate", only(1, torch.nan)), r"not in \[0, 1\] in lane 1$"),
        (Allocation("replace", only(0, 0)), "all on padding in lane 0$"),
        (Allocation("replace", only(0, -1)), "in lane 0$"),
        (Allocation("mix", only(0, 1), torch.tensor([0, 0.5, 2])), r"outside \[0, 1\] in lane 2$"),
        (Allocation("mix", only(0, 1), torch.ones(3, 5, 1)), r"\[3, 5, 1\].*2 layers of 2 heads"),
    ],
)
def test_an_allocation_that_does_not_fit_the_forward_is_refused(
    marian: Reader, allocation: Allocation, message: str
) -> None:
    with pytest.raises(SteeringError, match=message), steer(marian.model, allocation):
        marian.logits()


def test_beams_need_an_allocation_of_their_own(marian: Reader) -> None:
    with steer(marian.model, GATE), pytest.raises(SteeringError, match="6 lanes"):
        marian.tokens(num_beams=2)


@pytest.mark.parametrize("choice", [{"layers": [2]}, {"layers": []}, {"heads": [-1]}])
def test_layers_and_heads_must_exist(marian: Reader, choice: dict[str, list[int]]) -> None:
    with pytest.raises(SteeringError, match="choose at least one from 0 to 1"):
        Steering(marian.model, **choice)
