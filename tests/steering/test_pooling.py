"""What an encoder pools is seen in a forward, and the model is left as it was."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.errors import SteeringError, UnsupportedModelError
from rlattn.steering.pooling import PooledEncoder, pooled_encoder, steered_pooling
from tests.hosts.classifier.small import CONFIGS, small_model

IDS = torch.tensor([[0, 7, 9, 20, 5, 2]])
OWN = torch.tensor([[False, True, True, True, True, False]])


def found(family: str) -> tuple[torch.nn.Module, PooledEncoder]:
    model = small_model(family)

    def forward() -> Tensor:
        return model(input_ids=IDS).logits

    return model, pooled_encoder(model, forward, family)


@pytest.mark.parametrize("family", CONFIGS)
def test_layers_heads_and_pooled_rows_are_found(family: str) -> None:
    model, encoder = found(family)
    assert (encoder.layers, encoder.heads) == (2, 2)
    assert encoder.first == (family != "ModernBertMean")
    assert not any(parameter.grad is not None for parameter in model.parameters())


def test_layers_may_share_a_module() -> None:
    assert [len(found(family)[1].attentions) for family in ("Bert", "Albert")] == [2, 1]


@pytest.mark.parametrize("family", CONFIGS)
def test_watching_changes_nothing(family: str) -> None:
    model, encoder = found(family)
    expected = model(input_ids=IDS).logits
    with steered_pooling(encoder, None, OWN) as looked:
        watched = model(input_ids=IDS).logits
    torch.testing.assert_close(watched, expected, rtol=0.0, atol=1e-5)
    torch.testing.assert_close(looked[0].sum(-1), torch.ones(looked[0].shape[:2]))
    assert torch.equal(model(input_ids=IDS).logits, expected)
    assert len(looked) == 1


def test_steerings_do_not_nest_and_an_error_ends_one() -> None:
    model, encoder = found("Bert")
    before = model.config._attn_implementation
    with (
        steered_pooling(encoder, None, OWN),
        pytest.raises(SteeringError, match="do not nest"),
        steered_pooling(encoder, None, OWN),
    ):
        pass
    with pytest.raises(KeyError), steered_pooling(encoder, None, OWN):
        raise KeyError
    assert model.config._attn_implementation == before


def test_a_model_that_always_says_the_same_is_refused() -> None:
    model = small_model("DistilBert")
    torch.nn.init.zeros_(model.classifier.weight)
    with pytest.raises(UnsupportedModelError, match="do not depend on what it reads"):
        pooled_encoder(model, lambda: model(input_ids=IDS).logits, "deaf")
