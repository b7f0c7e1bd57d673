"""Lanes that start anew at any time write what each of them would write alone."""

from __future__ import annotations

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.errors import UnsupportedModelError
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.steering import Allocation, bands
from tests.hosts.tiny import PAD, SOURCE, TARGET, sentences, tiny_host
from tests.steering.readers import SUPPORTED

LANES = 4
OTHERS = [
    "Bart",
    "BERT2BERT",
    "Blenderbot",
    "M2M100",
    "MBart",
    "Marian",
    "Pegasus",
    "PegasusX",
    "T5",
]


@pytest.fixture(autouse=True, params=[bands.BAND, 2, 1], ids="band of {}".format)
def _band(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lanes in one band, or several bands of a few lanes."""
    monkeypatch.setattr(bands, "BAND", request.param)


class Job(NamedTuple):
    """A source, the tokens that are fed along it, and what the lanes made of them."""

    source: list[int]
    fed: list[int]
    logits: list[Tensor]
    hidden: list[Tensor]


class Lanes:
    """Keeps all lanes at work on jobs of random tokens and lengths."""

    def __init__(self, host: Seq2SeqHost, seed: int = 0) -> None:
        self.host, self.rng = host, np.random.default_rng(seed)
        self.sources = LaneSources(LANES, SOURCE)
        self.decoder = LaneDecoder(host, self.sources, TARGET)
        self.jobs: list[Job] = []
        self.at: dict[int, Job] = {}
        self.start(np.arange(LANES))

    def start(self, lanes: np.ndarray) -> None:
        sources = self.rng.integers(3, self.host.vocabulary, (len(lanes), SOURCE))
        jobs = []
        for row in sources:
            fed = self.rng.integers(3, self.host.vocabulary, self.rng.integers(TARGET)).tolist()
            source = row[: self.rng.integers(1, SOURCE + 1)].tolist()
            jobs.append(Job(source, [self.host.start_token, *fed], [], []))
        encoded = self.host.encode([job.source for job in jobs])
        self.sources.load(lanes, encoded, np.arange(len(lanes)))
        self.decoder.restart(lanes)
        self.at.update(zip(lanes.tolist(), jobs, strict=True))
        self.jobs += jobs

    def run(self, steps: int) -> None:
        for _ in range(steps):
            done = [lane for lane, job in self.at.items() if len(job.logits) == len(job.fed)]
            if done:
                self.start(np.array(sorted(done)))
            tokens = [self.at[lane].fed[len(self.at[lane].logits)] for lane in range(LANES)]
            step = self.decoder.step(torch.tensor(tokens))
            for lane, job in self.at.items():
                job.logits.append(step.logits[lane].clone())
                job.hidden.append(step.hidden[lane].clone())


def alone(host: Seq2SeqHost, job: Job) -> Tensor:
    """The model's own logits along a job, in one forward without lanes or caches."""
    fed = torch.tensor([job.fed[: len(job.logits)]])
    ones = torch.ones_like(fed)  # else some models take a start token that pads for padding
    source = torch.tensor([job.source])
    with torch.no_grad():
        output = host.model(input_ids=source, decoder_input_ids=fed, decoder_attention_mask=ones)
    return output.logits[0]


# A T5 as it is initialised by default: the sharper one of other tests amplifies rounding.
FAMILIES = {"Marian": {}, "Bart": {}, "T5": {"initializer_factor": 1.0}}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", [0, 1])
def test_lanes_write_what_each_writes_alone(family: str, seed: int) -> None:
    host = tiny_host(family, **FAMILIES[family])
    lanes = Lanes(host, seed)
    lanes.run(8 * TARGET)
    assert len(lanes.jobs) > 20
    for job in lanes.jobs:
        ours, theirs = torch.stack(job.logits).log_softmax(-1), alone(host, job).log_softmax(-1)
        assert (ours - theirs).abs().max() < 1e-4
        best = theirs.topk(2).values
        close = best[:, 0] - best[:, 1] < 1e-4
        assert ((ours.argmax(-1) == theirs.argmax(-1)) | close).all()


def test_but_for_rounding_lanes_write_exactly_that(each_host: Seq2SeqHost) -> None:
    host = Seq2SeqHost(deepcopy(each_host.model).double(), each_host.tokenizer)
    lanes = Lanes(host)
    lanes.run(4 * TARGET)
    for job in lanes.jobs:
        assert (torch.stack(job.logits) - alone(host, job)).abs().max() < 1e-10


@pytest.mark.parametrize("family", OTHERS)
def test_lanes_of_other_families_do_as_well(family: str) -> None:
    model = SUPPORTED[family]()
    rules = model.generation_config
    rules.decoder_start_token_id, rules.pad_token_id, rules.eos_token_id = 1, PAD, 2
    rules.encoder_no_repeat_ngram_size = None  # Blenderbot's default, which lanes do not follow
    host = Seq2SeqHost(model, None, family)
    lanes = Lanes(host)
    lanes.run(3 * TARGET)
    for job in lanes.jobs:
        assert (torch.stack(job.logits) - alone(host, job)).abs().max() < 1e-4
        assert job.hidden[0].shape == (host.d_state,)


def test_hidden_states_and_heads_lead_to_the_logits(each_host: Seq2SeqHost) -> None:
    lanes = Lanes(each_host)
    tokens = torch.full((LANES,), each_host.start_token)
    step = lanes.decoder.step(tokens)
    assert step.hidden.shape == (LANES, each_host.d_state)
    assert torch.allclose(each_host.model.get_output_embeddings()(step.head), step.logits)
    assert not len(step.beside)


def test_rows_beside_the_lanes_change_nothing_and_get_logits(each_host: Seq2SeqHost) -> None:
    plain, extended = Lanes(each_host), Lanes(each_host)
    tokens = torch.full((LANES,), each_host.start_token)
    first = plain.decoder.step(tokens)
    extended.decoder.step(tokens)
    second = plain.decoder.step(tokens)
    rows = torch.cat([first.head, second.head[:1]])
    beside = extended.decoder.step(tokens, beside=rows)
    assert torch.allclose(beside.logits, second.logits, atol=1e-5)
    expected = torch.cat([first.logits, second.logits[:1]])
    assert torch.allclose(beside.beside, expected, atol=1e-5)


def test_a_lane_that_starts_anew_leaves_the_others_alone(host: Seq2SeqHost) -> None:
    lanes, twin = Lanes(host), Lanes(host)
    for step in range(3):
        tokens = torch.arange(LANES) + step
        kept = lanes.decoder.step(tokens).logits
        other = twin.decoder.step(tokens).logits
    twin.decoder.restart(np.array([1]))
    tokens = torch.full((LANES,), host.start_token)
    kept, other = lanes.decoder.step(tokens).logits, twin.decoder.step(tokens).logits
    assert torch.allclose(kept[[0, 2, 3]], other[[0, 2, 3]], atol=1e-5)
    assert (kept[1] - other[1]).abs().max() > 1e-3


@pytest.mark.parametrize("family", FAMILIES)
def test_lanes_can_be_dropped(family: str) -> None:
    host = tiny_host(family, **FAMILIES[family])
    encoded = host.encode(host.tokenize(sentences(5), SOURCE).ids)
    full, part = (LaneDecoder(host, LaneSources.of(encoded), TARGET) for _ in range(2))
    kept = np.array([0, 3])
    for step in range(2 * TARGET // 3):
        if step == 3:
            part.keep(kept)
        tokens = torch.arange(5) + 3 + step
        everything = full.step(tokens).logits[kept]
        rest = part.step(tokens if step < 3 else tokens[kept]).logits
        if step >= 3:
            assert torch.allclose(rest, everything, atol=1e-5)


def test_decoders_that_share_sources_do_not_meet(host: Seq2SeqHost) -> None:
    lanes = Lanes(host)
    twin = LaneDecoder(host, lanes.sources, TARGET)
    lanes.decoder.step(torch.full((LANES,), 9))
    tokens = torch.full((LANES,), host.start_token)
    fresh = Lanes(host).decoder.step(tokens).logits
    assert torch.allclose(twin.step(tokens).logits, fresh, atol=1e-5)


def test_the_sources_are_as_wide_as_the_longest(host: Seq2SeqHost) -> None:
    sources = LaneSources(2, SOURCE)
    sources.load(np.array([0, 1]), host.encode([[3] * 7, [4] * 2]), np.array([0, 1]))
    assert (sources.width, sources.lengths.tolist()) == (7, [7, 2])
    sources.load(np.array([0]), host.encode([[5] * 9, [5] * 3]), np.array([1]))
    assert (sources.width, sources.lengths.tolist()) == (3, [3, 2])
    assert sources.mask.tolist() == [[True, True, True], [True, True, False]]
    _, caches = sources.band(0)
    assert all(t.shape[2] == 3 for layer in caches for t in layer)


def test_the_model_is_left_without_hooks(host: Seq2SeqHost) -> None:
    Lanes(host).run(2)
    with pytest.raises(IndexError):
        Lanes(host).decoder.step(torch.full((LANES,), 10_000))  # no such token
    assert not any(module._forward_hooks for module in host.model.modules())
    assert not any(module._forward_pre_hooks for module in host.model.modules())


@pytest.mark.parametrize("family", ["Marian", "Bart"])
def test_a_target_longer_than_the_positions_is_refused(family: str) -> None:
    host = tiny_host(family)
    with pytest.raises(UnsupportedModelError, match=f"tiny-{family}.*cannot write 200 tokens"):
        LaneDecoder(host, LaneSources(LANES, SOURCE), 200)


def test_positions_that_are_no_table_are_refused() -> None:
    class Constant(torch.nn.Module):
        def forward(self, *args: object, **kwargs: object) -> Tensor:
            return torch.zeros(1, 1, 32)  # the same at every position, say

    host = tiny_host("Marian")
    host.model.get_decoder().embed_positions = Constant()
    with pytest.raises(UnsupportedModelError, match=r"tiny-Marian.*MarianMTModel.*each lane"):
        LaneDecoder(host, LaneSources(LANES, SOURCE), TARGET)


def test_a_lane_that_follows_another_goes_on_as_that_one_would(host: Seq2SeqHost) -> None:
    row = [5, 9, 4, 7, 6]
    encoded = host.encode([row] * LANES)
    gates = torch.eye(len(row), dtype=torch.bool)[:LANES]
    tokens = torch.tensor([8, 12, 20])
    decoders = [LaneDecoder(host, LaneSources.of(encoded), TARGET) for _ in range(2)]
    for decoder in decoders:
        decoder.step(tokens[0].expand(LANES))
        decoder.step(tokens[1].expand(LANES), Allocation("gate", gates))
    following = decoders[1]
    lanes = torch.tensor([2, 2, 0, 3])
    following.follow(lanes)
    alone, after = (decoder.step(tokens[2].expand(LANES)).logits for decoder in decoders)
    assert torch.allclose(after, alone[lanes], atol=1e-5)
    assert (after[0] - alone[0]).abs().max() > 1e-2
