"""Reading the memory itself gives what keys and values made of it give."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache, StaticCache

from rlattn.steering import Allocation, Steering, gates
from tests.steering.builders import HEADS
from tests.steering.models import SUPPORTED
from tests.steering.readers import LANES, SOURCE, Reader, reader_of

FAMILIES = ["Marian", "Bart", "T5", "Whisper", "BERT2BERT"]


@pytest.fixture(params=FAMILIES)
def lender(request: pytest.FixtureRequest) -> Reader:
    """Readers of families that name the maps to keys and values differently."""
    return reader_of(SUPPORTED[request.param]())


@pytest.fixture(autouse=True)
def nothing_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "LONG", 1)


def fresh() -> EncoderDecoderCache:
    return EncoderDecoderCache(DynamicCache(), DynamicCache())


def memory_of(reader: Reader) -> Tensor:
    with torch.no_grad():
        return reader.model.get_encoder()(**reader.inputs)[0]


def given_to_the_decoder(reader: Reader, memory: Tensor) -> Tensor:
    """The memory, through the map that some models put before a decoder of another width."""
    between = getattr(reader.model, "enc_to_dec_proj", nn.Identity())
    with torch.no_grad():
        return between(memory)


def written_out(reader: Reader, steering: Steering, opened: Tensor, lent: bool) -> Tensor:
    """Logits of the target, one token after the other, each under a gate of its own."""
    cache, memory, logits = fresh(), memory_of(reader), []
    if lent:
        assert steering.read_memory(given_to_the_decoder(reader, memory), cache)
    for step, token in enumerate(reader.target.split(1, dim=1)):
        steering.allocation = Allocation("gate", opened[step])
        inputs = {k: v for k, v in reader.inputs.items() if k == "attention_mask"}
        with torch.no_grad():
            output = reader.model(
                encoder_outputs=(memory,), decoder_input_ids=token, past_key_values=cache, **inputs
            )
        logits.append(output.logits)
    return torch.cat(logits, dim=1)


@pytest.mark.parametrize(("few", "page"), [(1.0, 32), (1.0, 2), (0.0, 2)])
def test_the_memory_gives_what_keys_and_values_give(
    lender: Reader, few: float, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "FEW_OF_MEMORY", few)
    monkeypatch.setattr(gates, "PAGE", page)
    lender.model.double()
    lender.inputs = {
        k: v.double() if v.is_floating_point() else v for k, v in lender.inputs.items()
    }
    opened = torch.rand(lender.target.shape[1], LANES, SOURCE) < 0.5
    opened[:, 1:] &= torch.rand(1, LANES - 1, 1) < 0.5  # some lanes read much less than others
    opened[..., 1] = True
    with Steering(lender.model, record=True) as steering:
        expected = written_out(lender, steering, opened, lent=False)
        attention = steering.attention
        found = written_out(lender, steering, opened, lent=True)
        assert attention is not None
        assert steering.attention is not None
        assert torch.allclose(found, expected, atol=1e-10)
        assert torch.allclose(steering.attention, attention, atol=1e-10)


def test_only_open_positions_are_touched(marian: Reader) -> None:
    opened = torch.zeros(LANES, SOURCE, dtype=torch.bool)
    opened[:, :2] = True
    memory = memory_of(marian).masked_fill(~opened[..., None], torch.nan)
    with Steering(marian.model) as steering, torch.no_grad():
        steering.allocation = Allocation("gate", opened)
        cache = fresh()
        assert steering.read_memory(memory, cache)
        output = marian.model(
            encoder_outputs=(memory,), decoder_input_ids=marian.target[:, :1], past_key_values=cache
        )
        assert output.logits.isfinite().all()


def test_no_keys_and_values_are_kept_for_it(marian: Reader) -> None:
    memory, cache = memory_of(marian), fresh()
    with Steering(marian.model) as steering:
        assert steering.read_memory(memory, cache)
        for layer in cache.cross_attention_cache.layers:
            assert layer.keys.data_ptr() == layer.values.data_ptr() == memory.data_ptr()


def test_a_cache_is_given_back_empty(marian: Reader) -> None:
    memory, cache = memory_of(marian), fresh()
    with Steering(marian.model) as steering:
        assert steering.read_memory(memory, cache)
    assert not any(cache.is_updated.values())
    with torch.no_grad():
        plain, after = (
            marian.model(
                encoder_outputs=(memory,), decoder_input_ids=marian.target, past_key_values=c
            ).logits
            for c in (fresh(), cache)
        )
    assert torch.equal(after, plain)


def _static(reader: Reader) -> dict[str, Any]:
    config = reader.model.config
    caches = (StaticCache(config, max_cache_len=8) for _ in range(2))
    return {"cache": EncoderDecoderCache(*caches)}


def _used(reader: Reader) -> dict[str, Any]:
    cache, memory = fresh(), memory_of(reader)
    with torch.no_grad():
        reader.model(
            encoder_outputs=(memory,), decoder_input_ids=reader.target, past_key_values=cache
        )
    return {"cache": cache}


def _wrapped(reader: Reader) -> dict[str, Any]:
    class Adapted(nn.Linear):
        """As what an adapter leaves in a map's place."""

    for layer in reader.model.get_decoder().layers:
        old = layer.encoder_attn.v_proj
        layer.encoder_attn.v_proj = Adapted(old.in_features, old.out_features)
    return {}


def _half(reader: Reader) -> dict[str, Any]:
    reader.model.bfloat16()
    return {}


def _training(reader: Reader) -> dict[str, Any]:
    reader.model.train()
    return {}


def _one_head(reader: Reader) -> dict[str, Any]:
    return {"steering": Steering(reader.model, heads=range(HEADS - 1))}


def _one_layer(reader: Reader) -> dict[str, Any]:
    return {"steering": Steering(reader.model, layers=[0])}


@pytest.mark.parametrize(
    "change", [_static, _used, _wrapped, _half, _training, _one_head, _one_layer]
)
def test_where_it_cannot_be_done_nothing_changes(marian: Reader, change: Any) -> None:
    given = {"cache": fresh(), **change(marian)}
    memory = memory_of(marian)
    cache, steering = given["cache"], given.get("steering") or Steering(marian.model)
    before = (cache.cross_attention_cache, dict(cache.is_updated))
    with steering:
        assert not steering.read_memory(memory, cache)
    assert (cache.cross_attention_cache, dict(cache.is_updated)) == before


def test_short_sources_keep_their_keys_and_values(
    marian: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LONG", SOURCE + 1)
    with Steering(marian.model) as steering:
        assert not steering.read_memory(memory_of(marian), fresh())
