"""The direct way through a decoder gives what the model's own forward gives, or is not taken."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from rlattn.errors import SteeringError
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.direct import DirectForward
from rlattn.hosts.forward import ModelForward
from rlattn.hosts.lanes import shortest
from rlattn.steering import Allocation, Steering
from rlattn.steering import bands as banding
from tests.hosts.tiny import PAD, SOURCE, TARGET, tiny_host
from tests.steering.readers import SUPPORTED

LANES = 5
OF_BART_BUILD = ["Bart", "Blenderbot", "M2M100", "MBart", "Marian", "Pegasus", "PegasusX"]


def host_of(family: str) -> Seq2SeqHost:
    """A small host of some family, in double precision."""
    model = SUPPORTED[family]().double()
    rules = model.generation_config
    rules.decoder_start_token_id, rules.pad_token_id, rules.eos_token_id = 1, PAD, 2
    rules.encoder_no_repeat_ngram_size = None
    return Seq2SeqHost(model, None, family)


def both_ways(host: Seq2SeqHost, record: bool) -> list[LaneDecoder]:
    """The same lanes twice: by the model's own forward, and directly."""
    source = torch.randint(3, host.vocabulary, (LANES, SOURCE))
    encoded = host.encode([row[: 3 + lane].tolist() for lane, row in enumerate(source)])
    steering = Steering(host.model, record=record)
    direct = shortest(host, steering)
    assert isinstance(direct, DirectForward)
    return [
        LaneDecoder(host, LaneSources.of(encoded), TARGET, forward=forward)
        for forward in (ModelForward(host, steering), direct)
    ]


def allocations(width: int) -> dict[str, Allocation | None]:
    torch.manual_seed(0)
    opened = torch.rand(LANES, width) < 0.5
    opened[:, 0] = True
    heads = torch.randn(LANES, 1, 1, width, dtype=torch.double)
    weights = torch.rand(LANES, width, dtype=torch.double)
    return {
        "native": None,
        "gate": Allocation("gate", opened),
        "bias": Allocation("bias", heads),
        "scale": Allocation("scale", heads.exp()),
        "replace": Allocation("replace", weights),
        "mix": Allocation("mix", weights, torch.rand(LANES, dtype=torch.double)),
        "mix by layer": Allocation("mix", weights, torch.rand(LANES, 2, 1, dtype=torch.double)),
    }


@pytest.mark.parametrize("family", OF_BART_BUILD)
@pytest.mark.parametrize("band", [banding.BAND, 2], ids="band of {}".format)
@pytest.mark.parametrize("record", [True, False])
def test_both_ways_lead_to_the_same(
    family: str, band: int, record: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(banding, "BAND", band)
    host = host_of(family)
    model, direct = both_ways(host, record)
    for number, allocation in enumerate(allocations(model.sources.width).values()):
        tokens = torch.arange(LANES) + 3 + number
        beside = torch.randn(2, host.d_head, dtype=torch.double)
        for theirs, ours in zip(
            model.step(tokens, allocation, beside),
            direct.step(tokens, allocation, beside),
            strict=True,
        ):
            if theirs is None:
                assert ours is None
                assert not record
            else:
                finite = theirs.isfinite()
                assert torch.equal(ours.isfinite(), finite)
                assert torch.allclose(ours[finite], theirs[finite], atol=1e-10)


@pytest.mark.parametrize("way", [0, 1])
def test_an_allocation_that_does_not_fit_is_refused_either_way(way: int) -> None:
    decoder = both_ways(host_of("Marian"), record=False)[way]
    tokens, width = torch.full((LANES,), 5), decoder.sources.width
    for values in (torch.ones(LANES, width + 1), torch.ones(LANES - 1, width)):
        with pytest.raises(SteeringError, match="do not fit"):
            decoder.step(tokens, Allocation("gate", values.bool()))
    with pytest.raises(SteeringError, match="no valid position open in lane"):
        decoder.step(tokens, Allocation("gate", torch.zeros(LANES, width, dtype=torch.bool)))


def way_of(host: Seq2SeqHost) -> type:
    return type(shortest(host, Steering(host.model)))


def test_decoders_of_another_build_go_through_the_model() -> None:
    assert way_of(tiny_host("Marian")) is DirectForward
    assert way_of(tiny_host("T5")) is ModelForward


def test_a_decoder_that_does_more_goes_through_the_model() -> None:
    host = Seq2SeqHost(deepcopy(tiny_host("Marian").model), None, "changed")
    layer = host.model.get_decoder().layers[0]
    layer.register_forward_hook(lambda _m, _a, out: out + 1.0)
    assert way_of(host) is ModelForward


def test_half_precision_goes_through_the_model() -> None:
    host = Seq2SeqHost(deepcopy(tiny_host("Bart").model).half(), None, "half")
    assert way_of(host) is ModelForward
