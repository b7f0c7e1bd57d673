"""A host in int8 does all that a host does, nearly as it was, and gives no gradient."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import DynamicCache, EncoderDecoderCache

from rlattn.agents import PPOSettings, learn, make_ppo, trained_policy
from rlattn.corpora import load_corpus
from rlattn.envs import AttentionVecEnv
from rlattn.errors import InputError
from rlattn.hosts import Encoded, LaneDecoder, LaneSources, Seq2SeqHost, load_host, quantised
from rlattn.hosts.direct import DirectForward
from rlattn.hosts.greedy import greedy
from rlattn.hosts.lanes import shortest
from rlattn.inference import translate
from rlattn.steering import Allocation, Steering, gates, steer
from tests.envs.cores import make
from tests.hosts.tiny import CONFIGS, SOURCE, TARGET, generate, save, sentences, tiny_host

pytest.importorskip("torchao", reason="needs the extra 'int8'")

TEXTS = sorted(set(sentences(40)))


@pytest.fixture(scope="module", params=CONFIGS)
def int8(request: pytest.FixtureRequest) -> Seq2SeqHost:
    return quantised(tiny_host(request.param))


def encoded(host: Seq2SeqHost, texts: list[str]) -> Encoded:
    return host.encode(host.tokenize(texts, SOURCE).ids)


def error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_a_trained_host_writes_in_int8_what_it_writes() -> None:
    host, sources = (
        load_host("embedded"),
        [p.source for p in load_corpus("locale:en-de").valid[:20]],
    )
    int8, written = quantised(host), translate(host, sources).texts
    assert translate(int8, sources).texts == written
    assert translate(int8, sources, batch=3).texts == written
    targets, _ = greedy(int8, int8.encode(int8.tokenize(sources, 64).ids), 64)
    assert int8.detokenize(targets) == written


@pytest.mark.parametrize("family", CONFIGS)
def test_what_is_rounded_is_nearly_what_it_was(family: str) -> None:
    host = tiny_host(family)
    int8 = quantised(host)
    plain, rounded = (encoded(each, TEXTS) for each in (host, int8))
    assert 1e-4 < error(rounded.memory[plain.mask], plain.memory[plain.mask]) < 0.15


def test_the_host_that_it_was_made_of_stays_as_it_is() -> None:
    host = tiny_host()
    before, written = host.fingerprint, generate(host, TEXTS)
    int8 = quantised(host)
    assert host.fingerprint == before
    assert generate(host, TEXTS) == written
    assert int8.name == "int8:tiny-Marian"


def test_its_fingerprint_is_its_own_and_always_the_same() -> None:
    first, again, other = (
        quantised(tiny_host()),
        quantised(tiny_host()),
        quantised(tiny_host(seed=1)),
    )
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, tiny_host().fingerprint, other.fingerprint}) == 3
    with torch.no_grad():
        again.model.get_output_embeddings().weight.qdata[5, 0] += 1
    assert first.fingerprint != again.fingerprint


def test_a_layer_makes_of_a_row_what_it_makes_of_it_alone(int8: Seq2SeqHost) -> None:
    rows = torch.randn(9, int8.d_head) * torch.logspace(-3, 3, 9)[:, None]
    layer = int8.model.get_output_embeddings()
    together = layer(rows)
    assert torch.equal(torch.cat([layer(row[None]) for row in rows]), together)


def test_lanes_follow_the_model(int8: Seq2SeqHost) -> None:
    sources, targets = encoded(int8, TEXTS), [[7, 20, 33, 9]] * len(TEXTS)
    expected = int8.force(sources, targets)
    decoder = LaneDecoder(int8, LaneSources.of(sources), TARGET)
    fed = [int8.start_token, *targets[0][:-1]]
    heads = [decoder.step(torch.full((len(TEXTS),), token)).head for token in fed]
    # Random hosts make the most of what rounding leaves open.
    assert error(torch.stack(heads, 1), expected) < 0.03


def test_its_layers_are_walked_directly() -> None:
    int8 = quantised(tiny_host())
    assert isinstance(shortest(int8, Steering(int8.model)), DirectForward)


def test_what_is_shut_is_not_read(int8: Seq2SeqHost) -> None:
    batch = int8.tokenizer(TEXTS, return_tensors="pt", padding=True)
    gate = batch.attention_mask.bool() & (torch.arange(batch.input_ids.shape[1]) < 1)
    with steer(int8.model, Allocation("gate", gate), record=True) as steering:
        steered = generate(int8, TEXTS)
    assert steered != generate(int8, TEXTS)
    assert steering.attention is not None
    assert torch.equal(steering.attention[:, -1] > 0, gate)


def test_long_sources_are_read_by_keys_and_values(
    int8: Seq2SeqHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The maps to them do more than multiply: they cannot be moved to the other side of a product.
    batch = {"input_ids": torch.randint(3, 60, (2, 40))}
    memory = int8.model.get_encoder()(**batch).last_hidden_state
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    monkeypatch.setattr(gates, "LONG", 30)
    with steer(int8.model, None) as steering:
        assert not steering.read_memory(memory, cache)
    plain = tiny_host()
    with steer(plain.model, None) as steering:
        assert steering.read_memory(memory, cache)


def test_ppo_learns_on_it_and_its_policy_steers_it() -> None:
    int8 = quantised(tiny_host())
    ppo = make_ppo(
        AttentionVecEnv(make(int8, lanes=6)), PPOSettings(rollout=8, batch_size=24, width=16)
    )
    learn(ppo, 48, progress=False)
    policy = trained_policy(ppo)
    with policy.steer(int8.model) as trace:
        generate(int8, TEXTS)
    assert (trace.reads_fraction > 0).all()
    with (
        pytest.raises(InputError, match="trained on host int8:tiny-Marian"),
        policy.steer(tiny_host().model),
    ):
        pass


def test_a_gradient_through_it_is_refused(int8: Seq2SeqHost) -> None:
    source = torch.tensor([[5, 6, 7, 1]])
    bias = torch.zeros(1, 4, requires_grad=True)
    with (
        pytest.raises(
            InputError, match=r"host int8:tiny-\w+ gives no gradient, for its weights are"
        ),
        steer(int8.model, Allocation("bias", bias)),
    ):
        int8.model(input_ids=source, decoder_input_ids=source)


def test_it_is_found_by_name(tmp_path: Path) -> None:
    host = tiny_host()
    folder = save(host, tmp_path)
    int8 = load_host(f"int8:{folder}")
    assert int8.name == f"int8:{folder}"
    assert int8.fingerprint == quantised(host).fingerprint
