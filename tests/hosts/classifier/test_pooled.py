"""A pooled classifier reads a text once; every allocation is a matter of its pooling."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from rlattn.errors import InputError, SteeringError
from rlattn.hosts.classifier import AttentionPool, EncodedTexts, PooledClassifierHost
from rlattn.hosts.classifier.pooled import ScoredTexts
from rlattn.steering import Allocation
from tests.hosts.classifier.small import (
    LABELS,
    SOURCE,
    small_encoder,
    small_pooled,
    small_tokenizer,
)
from tests.hosts.tiny import sentences

TEXTS = sentences(12)


@pytest.fixture(scope="module", params=["Bert", "Roberta"])
def pooled(request: pytest.FixtureRequest) -> PooledClassifierHost:
    return small_pooled(request.param)


def encode(host: PooledClassifierHost) -> ScoredTexts:
    return host.encode(host.tokenize(TEXTS, SOURCE).ids)


def allocations(mask: Tensor) -> dict[str, Allocation]:
    """One of each mode."""
    values = 0.1 + 0.9 * torch.rand(mask.shape)
    return {
        "bias": Allocation("bias", values),
        "scale": Allocation("scale", values),
        "replace": Allocation("replace", values),
        "mix": Allocation("mix", values, torch.tensor(0.7)),
        "gate": Allocation("gate", values > 0.5),
        "gate in part": Allocation("gate", values),
        "by head": Allocation("gate", torch.rand(len(mask), 1, 3, mask.shape[1]) < 0.5),
    }


MODES = list(allocations(torch.ones(1, 1)))


def test_it_is_frozen(pooled: PooledClassifierHost) -> None:
    assert not any(module.training for module in pooled.model.modules())
    assert not any(weight.requires_grad for weight in pooled.model.parameters())
    assert pooled.fingerprint == small_pooled(pooled.name.split("-")[-1]).fingerprint


def test_the_memory_is_what_the_encoder_says_of_the_texts_own_tokens(
    pooled: PooledClassifierHost,
) -> None:
    encoded = encode(pooled)
    batch = small_tokenizer()(TEXTS, return_tensors="pt", padding=True, return_token_type_ids=False)
    states = pooled._encoder(**batch)[0][:, 1:-1]
    assert encoded.memory.shape[2] == pooled.d_model
    torch.testing.assert_close(
        encoded.memory[encoded.mask], states[encoded.mask], rtol=0.0, atol=1e-5
    )
    assert encoded.memory[~encoded.mask].eq(0).all()


@pytest.mark.parametrize("mode", MODES)
def test_a_text_is_judged_alike_alone_and_in_a_batch(
    pooled: PooledClassifierHost, mode: str
) -> None:
    encoded = encode(pooled)
    allocation = allocations(encoded.mask)[mode]
    logits, looked = pooled.classify(encoded, allocation), pooled.native_attention(encoded)
    assert logits.shape == (len(TEXTS), len(LABELS))
    for row, source in enumerate(pooled.tokenize(TEXTS, SOURCE).ids):
        alone, width = pooled.encode([source]), len(source)
        own = Allocation(
            allocation.mode, allocation.values[row, None, ..., :width], allocation.weight
        )
        found = pooled.classify(alone, own)[0]
        torch.testing.assert_close(found, logits[row], rtol=0.0, atol=1e-4)
        torch.testing.assert_close(
            pooled.native_attention(alone)[0], looked[row, :width], rtol=0.0, atol=1e-5
        )


def test_what_changes_nothing_is_native(pooled: PooledClassifierHost) -> None:
    encoded = encode(pooled)
    ones, native = torch.ones(encoded.mask.shape), pooled.classify(encoded)
    for allocation in (
        Allocation("bias", 0 * ones),
        Allocation("scale", ones),
        Allocation("gate", ones),
        Allocation("gate", ones.bool()),
        Allocation("mix", ones, torch.tensor(0.0)),
    ):
        found = pooled.classify(encoded, allocation)
        torch.testing.assert_close(found, native, rtol=0.0, atol=1e-5)


def test_states_that_are_shut_are_not_looked_at(pooled: PooledClassifierHost) -> None:
    encoded = encode(pooled)
    opened = torch.rand(encoded.mask.shape) < 0.5
    noise = torch.where(opened[..., None], encoded.memory, torch.randn(encoded.memory.shape))
    other = ScoredTexts(noise, encoded.mask, pooled._pool.scores(noise))
    allocation = Allocation("gate", opened)
    assert torch.equal(pooled.classify(encoded, allocation), pooled.classify(other, allocation))


def test_of_nothing_every_text_says_the_same(pooled: PooledClassifierHost) -> None:
    encoded = encode(pooled)
    logits = pooled.classify(encoded, Allocation("gate", torch.zeros_like(encoded.mask)))
    torch.testing.assert_close(logits, logits[:1].expand_as(logits))
    assert not torch.allclose(logits, pooled.classify(encoded), atol=1e-2)


def test_a_gate_over_some_heads_leaves_the_others_native() -> None:
    host = small_pooled()
    encoded = encode(host)
    values = torch.ones(len(TEXTS), 1, 3, encoded.mask.shape[1], dtype=torch.bool)
    values[:, :, 1] = False
    weights = host._pool.weights(encoded.scores, encoded.mask, Allocation("gate", values))
    native = host._pool.weights(encoded.scores, encoded.mask, None)
    assert torch.equal(weights[:, [0, 2]], native[:, [0, 2]])
    assert weights[:, 1, 0].eq(1).all()


def test_replace_deals_out_what_the_column_of_its_own_leaves() -> None:
    host = small_pooled()
    encoded = encode(host)
    values = torch.rand(encoded.mask.shape)
    native = host._pool.weights(encoded.scores, encoded.mask, None)
    weights = host._pool.weights(encoded.scores, encoded.mask, Allocation("replace", values))
    shares = torch.where(encoded.mask, values, 0.0)
    shares = shares / shares.sum(1, keepdim=True)
    torch.testing.assert_close(weights[:, :, 0], native[:, :, 0])
    expected = shares[:, None] * (1 - native[:, :, :1])
    torch.testing.assert_close(weights[:, :, 1:], expected, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("mode", ["bias", "scale", "replace", "mix", "gate in part"])
def test_gradients_reach_an_allocation(mode: str) -> None:
    host = small_pooled()
    encoded = encode(host)
    allocation = allocations(encoded.mask)[mode]
    values = allocation.values.clone().requires_grad_()
    given = Allocation(allocation.mode, values, allocation.weight)
    host.classify(encoded, given)[:, 0].sum().backward()
    assert values.grad is not None
    several = encoded.mask & (encoded.mask.sum(1, keepdim=True) > 1)
    assert values.grad[several].ne(0).all()
    assert values.grad[~encoded.mask].eq(0).all()


def test_native_attention_is_a_distribution_and_work_is_counted() -> None:
    host = small_pooled()
    encoded = encode(host)
    looked = host.native_attention(encoded)
    host.classify(encoded)
    torch.testing.assert_close(looked.sum(1), torch.ones(len(TEXTS)))
    assert looked[~encoded.mask].eq(0).all()
    assert (host.usage.encoded, host.usage.forwards) == (12, 12)


def test_an_empty_text_is_one_of_which_nothing_is_open(pooled: PooledClassifierHost) -> None:
    full = pooled.encode([[5, 6, 7]])
    expected = pooled.classify(full, Allocation("gate", torch.zeros_like(full.mask)))[0]
    for sources in ([[]], [[5, 6, 7], []]):
        found = pooled.classify(pooled.encode(sources))[-1]
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-5)


def test_rows_can_be_taken_and_joined(pooled: PooledClassifierHost) -> None:
    parts = [pooled.encode(pooled.tokenize(sentences(n, n), SOURCE).ids) for n in (3, 2)]
    expected = torch.cat([pooled.classify(part) for part in parts])
    found = pooled.classify(EncodedTexts.joined(parts).take(torch.tensor([4, 0])))
    torch.testing.assert_close(found, expected[[4, 0]], rtol=0.0, atol=1e-5)


def test_a_head_of_another_shape_is_refused() -> None:
    encoder = small_encoder()
    with pytest.raises(InputError, match="2 outputs and was given 3 labels"):
        PooledClassifierHost(encoder, small_tokenizer(), AttentionPool(32, 2, 1), LABELS)
    with pytest.raises(InputError, match="width 16, and the encoder's have 32"):
        PooledClassifierHost(encoder, small_tokenizer(), AttentionPool(16, 3, 1), LABELS)


def test_an_allocation_that_does_not_fit_is_refused(pooled: PooledClassifierHost) -> None:
    with pytest.raises(SteeringError, match="do not fit"):
        pooled.classify(encode(pooled), Allocation("bias", torch.zeros(2, 3)))
