"""Something else in the softmax's place: exactly that, where it should be, and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from rlattn.errors import SteeringError
from rlattn.hosts import LaneDecoder, LaneSources
from rlattn.hosts.direct import DirectForward
from rlattn.hosts.forward import ModelForward
from rlattn.hosts.lanes import shortest
from rlattn.steering import Allocation, Steering, bands, gates
from tests.hosts.tiny import TARGET, tiny_host
from tests.steering.readers import HEADS, LANES, LAYERS, SOURCE, Reader

LOWEST = torch.finfo(torch.float32).min


def projected(logits: Tensor) -> Tensor:
    """Sparsemax by halving: the weights `max(logits - threshold, 0)` that sum to one."""
    high = logits.amax(-1, keepdim=True)
    low = high - 1
    for _ in range(60):
        middle = (low + high) / 2
        enough = (logits - middle).clamp(min=0).sum(-1, keepdim=True) >= 1
        low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
    return (logits - low).clamp(min=0)


def squared(logits: Tensor) -> Tensor:
    """1.5-entmax by halving: the weights `max(logits / 2 - threshold, 0) ** 2` that sum to one."""
    half = logits / 2
    high = half.amax(-1, keepdim=True)
    low = high - 1
    for _ in range(60):
        middle = (low + high) / 2
        enough = (half - middle).clamp(min=0).square().sum(-1, keepdim=True) >= 1
        low, high = torch.where(enough, middle, low), torch.where(enough, high, middle)
    return (half - low).clamp(min=0).square()


def cross_attentions(reader: Reader) -> tuple[Tensor, ...]:
    with torch.no_grad():
        attentions: tuple[Tensor, ...] = reader.forward(output_attentions=True).cross_attentions
    return attentions


def test_a_softmax_in_the_softmaxs_place_changes_nothing(reader: Reader) -> None:
    logits, tokens = reader.logits(), reader.tokens()
    with Steering(reader.model, normalise=lambda logits: logits.softmax(-1)):
        assert (reader.logits() - logits).abs().max() < 1e-5
        assert torch.equal(reader.tokens(), tokens)


def test_it_is_given_the_models_own_logits(reader: Reader) -> None:
    with Steering(reader.model):
        native = cross_attentions(reader)[0]
    with Steering(reader.model, normalise=projected, record=True) as steering:
        sparse = cross_attentions(reader)
    # Logarithms of weights are logits but for a constant, which no sparse weights depend on.
    assert torch.allclose(sparse[0], projected(native.log().clamp(min=LOWEST)), atol=1e-5)
    assert torch.allclose(steering.attention, torch.stack(sparse).mean((0, 2)), atol=1e-6)


def test_padding_gets_no_weight_and_a_padded_lane_is_as_if_alone(marian: Reader) -> None:
    with Steering(marian.model, normalise=projected, record=True) as steering:
        together = marian.logits()
    assert (steering.attention.transpose(1, 2)[~marian.valid] == 0).all()
    for lane, length in enumerate(marian.valid.sum(1).tolist()):
        one = slice(lane, lane + 1)
        inputs = {name: tensor[one, :length] for name, tensor in marian.inputs.items()}
        single = Reader(marian.model, inputs, marian.valid[one, :length], marian.target[one])
        with Steering(single.model, normalise=projected):
            assert (single.logits() - together[one]).abs().max() < 1e-5


def test_it_reaches_the_chosen_layers_and_heads_alone(marian: Reader) -> None:
    with Steering(marian.model):
        native = cross_attentions(marian)[1]
    with Steering(marian.model, layers=[1], heads=[0], normalise=projected):
        mixed = cross_attentions(marian)[1]
    assert torch.allclose(mixed[:, 0], projected(native[:, 0].log().clamp(min=LOWEST)), atol=1e-5)
    assert torch.allclose(mixed[:, 1:], native[:, 1:], atol=1e-6)


def test_behind_a_gate_it_divides_among_what_is_open(
    marian: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LONG", 1)  # from where on a gate would gather what is open
    opened = torch.rand(LANES, SOURCE) < 0.5
    opened[:, 0] = True
    with Steering(marian.model) as steering:
        native = cross_attentions(marian)[0]
    with Steering(marian.model, normalise=projected) as steering:
        steering.allocation = Allocation("gate", opened)
        sparse = cross_attentions(marian)[0]
    logits = native.log().masked_fill(~opened[:, None, None], LOWEST).clamp(min=LOWEST)
    assert torch.allclose(sparse, projected(logits), atol=1e-5)


def test_a_bias_comes_before_it_and_a_mix_after(marian: Reader) -> None:
    bias = torch.randn(LANES, SOURCE)
    shares = torch.ones(LANES, SOURCE).masked_fill(~marian.valid, 0.0)
    shares = (shares / shares.sum(1, keepdim=True))[:, None, None]
    with Steering(marian.model, normalise=projected) as steering:
        sparse = cross_attentions(marian)[0]
        steering.allocation = Allocation("mix", torch.ones(LANES, SOURCE), torch.tensor(0.25))
        mixed = cross_attentions(marian)[0]
        steering.allocation = Allocation("bias", bias)
        biased = cross_attentions(marian)[0]
    with Steering(marian.model):
        logits = cross_attentions(marian)[0].log() + bias[:, None, None]
    assert torch.allclose(mixed, 0.75 * sparse + 0.25 * shares, atol=1e-6)
    assert torch.allclose(biased, projected(logits.clamp(min=LOWEST)), atol=1e-5)


@pytest.mark.parametrize("band", [bands.BAND, 2])
@pytest.mark.parametrize("family", ["Marian", "T5"])
def test_lanes_write_under_it_what_the_model_does(
    family: str, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bands, "BAND", band)
    host = tiny_host(family)
    sources = [[5, 7, 6, 9, 4, 8], [8, 3], [4], [9, 9, 5]]
    steering = Steering(host.model, normalise=projected, record=True)
    ways = [ModelForward(host, steering), shortest(host, steering)]
    assert isinstance(ways[1], DirectForward) == (family == "Marian")
    encoded = host.encode(sources)
    fed = torch.full((len(sources), TARGET), 7)
    fed[:, 0] = host.start_token
    with torch.no_grad(), steering:
        expected = host.model(
            encoder_outputs=(encoded.memory,),
            attention_mask=encoded.mask.long(),
            decoder_input_ids=fed,
            decoder_attention_mask=torch.ones_like(fed),
        ).logits.log_softmax(-1)
    recorded = steering.attention
    assert (recorded == 0).any(), "the host's logits lie so close that nothing is sparse"
    for way in ways:
        decoder = LaneDecoder(host, LaneSources.of(encoded), TARGET, forward=way)
        for step in range(TARGET):
            found = decoder.step(fed[:, step])
            assert (found.logits.log_softmax(-1) - expected[:, step]).abs().max() < 1e-3
            assert torch.allclose(found.attention, recorded[:, step], atol=1e-4)


@pytest.mark.parametrize(
    "broken",
    [
        lambda logits: logits.clamp(-9, 9),
        lambda logits: 2 * logits.softmax(-1),
        lambda logits: torch.full_like(logits, 1 / SOURCE),
        lambda logits: logits.softmax(-1) * torch.nan,
    ],
    ids=["negative", "too much", "on padding", "no number"],
)
def test_what_makes_no_weights_is_refused(
    marian: Reader, broken: Callable[[Tensor], Tensor]
) -> None:
    with (
        Steering(marian.model, normalise=broken),
        pytest.raises(SteeringError, match=r"normalised weights .* in lanes? "),
    ):
        marian.logits()


def test_a_memory_is_not_read_in_the_keys_place(
    marian: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "LONG", 1)
    with torch.no_grad():
        memory = marian.model.get_encoder()(**marian.inputs).last_hidden_state
    for normalise in (None, projected):
        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        with Steering(marian.model, normalise=normalise) as steering:
            assert steering.read_memory(memory, cache) == (normalise is None)


@pytest.mark.parametrize(("name", "exact"), [("sparsemax", projected), ("entmax15", squared)])
def test_the_entmax_library_keeps_to_it(name: str, exact: Callable[[Tensor], Tensor]) -> None:
    library = pytest.importorskip("entmax", reason="needs the extra 'compare'")
    logits = 3 * torch.randn(LANES, HEADS, LAYERS, SOURCE)
    logits[1, ..., 2:] = LOWEST
    weights = getattr(library, name)(logits)
    assert torch.allclose(weights, exact(logits), atol=1e-5)
    assert (weights[1, ..., 2:] == 0).all()
    assert torch.allclose(weights[1:2, ..., :2], getattr(library, name)(logits[1:2, ..., :2]))
