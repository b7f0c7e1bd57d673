"""An encoder with a linear head on its mean state is a classifier that gates work for."""

from __future__ import annotations

import pytest
import torch

from rlattn.errors import InputError
from rlattn.hosts.classifier import HeadConfig, SequenceClassifierHost
from rlattn.hosts.classifier.mean import MeanClassifier, train_mean
from rlattn.hosts.classifier.quality import accuracy
from rlattn.steering import Allocation
from tests.hosts.classifier.labelled import CORPUS
from tests.hosts.classifier.small import (
    LABELS,
    SOURCE,
    small_encoder,
    small_tokenizer,
    telling_tokenizer,
)
from tests.hosts.tiny import sentences


@pytest.fixture(scope="module")
def host() -> SequenceClassifierHost:
    model = MeanClassifier(small_encoder(), torch.nn.Linear(32, len(LABELS))).eval()
    return SequenceClassifierHost(model, small_tokenizer(), labels=LABELS)


def test_the_mean_is_over_open_tokens(host: SequenceClassifierHost) -> None:
    encoded = host.encode(host.tokenize(sentences(12), SOURCE).ids)
    opened = torch.rand(encoded.mask.shape) < 0.6
    everything = encoded.special.clone()
    everything[:, 1:-1] |= opened & encoded.mask
    states = host.model.encoder(encoded.ids, everything.long())[0]
    kept = everything[..., None]
    expected = host.model.output((states * kept).sum(1) / kept.sum(1))
    found = host.classify(encoded, Allocation("gate", opened))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


def test_few_open_tokens_are_computed_alone(host: SequenceClassifierHost) -> None:
    assert host._found.first_position == 0


def test_all_rows_are_pooled(host: SequenceClassifierHost) -> None:
    assert not host._found.encoder.first
    encoded = host.encode(host.tokenize(sentences(3), SOURCE).ids)
    torch.testing.assert_close(host.native_attention(encoded).sum(1), torch.ones(3))
    with pytest.raises(InputError, match="pools all its rows"):
        host.classify(encoded, Allocation("scale", torch.ones(3, 2, 2, encoded.mask.shape[1])))


def test_gates_in_part_weigh_the_mean_and_shares_replace_it(host: SequenceClassifierHost) -> None:
    encoded = host.encode(host.tokenize(sentences(12), SOURCE).ids)
    opened = torch.rand(encoded.mask.shape) < 0.6
    found = host.classify(encoded, Allocation("gate", opened.float()))
    expected = host.classify(encoded, Allocation("gate", opened))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)
    # What a state is does not change with its share of the mean.
    shares = torch.rand(encoded.mask.shape)
    found = host.classify(encoded, Allocation("replace", shares))
    real = encoded.special.clone()
    real[:, 1:-1] |= encoded.mask
    states = host.model.encoder(encoded.ids, real.long())[0]
    native = real / real.sum(1, keepdim=True)
    own = real & ~encoded.special
    dealt = torch.zeros(real.shape)
    dealt[:, 1:-1] = shares
    dealt = dealt * own / (dealt * own).sum(1, keepdim=True)
    weights = torch.where(own, dealt * (native * own).sum(1, keepdim=True), native * real)
    expected = host.model.output((states * weights[..., None]).sum(1))
    torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-4)


def test_a_head_for_another_width_is_refused() -> None:
    with pytest.raises(InputError, match="states of width 16, and the encoder's have 32"):
        MeanClassifier(small_encoder(), torch.nn.Linear(16, 2))


def test_its_head_learns_from_wholes_and_from_parts() -> None:
    encoder, tokenizer = small_encoder(initializer_range=0.05), telling_tokenizer()
    config = HeadConfig(max_steps=300, learning_rate=3e-2, shut=0.5, views=2)
    random = torch.get_rng_state()
    model = train_mean(encoder, tokenizer, CORPUS, config, progress=False)
    assert torch.equal(torch.get_rng_state(), random)
    host = SequenceClassifierHost(model, tokenizer, labels=["glad", "sad"])
    found = accuracy(host, CORPUS.valid, 16)
    assert found.whole > 0.9
    assert 0.6 < found.half < 0.95
