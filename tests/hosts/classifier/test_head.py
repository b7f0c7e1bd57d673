"""A head on a frozen encoder learns to label, from wholes and from parts."""

from __future__ import annotations

import pytest
import torch

from rlattn.errors import InputError
from rlattn.hosts.classifier import HeadConfig, PooledClassifierHost, train_head
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.head import _States
from rlattn.hosts.classifier.pooled import states_of
from rlattn.hosts.classifier.quality import accuracy
from rlattn.hosts.fingerprint import fingerprint
from tests.hosts.classifier.labelled import CORPUS
from tests.hosts.classifier.small import small_encoder, telling_tokenizer

CONFIG = HeadConfig(heads=2, max_steps=150, learning_rate=3e-2, shut=0.5, texts=50)


def test_it_learns_and_leaves_the_encoder_as_it_was() -> None:
    # With weights so small that a state is mostly its own token.
    encoder, tokenizer = small_encoder(initializer_range=0.05), telling_tokenizer()
    before, random = fingerprint(encoder), torch.get_rng_state()
    head = train_head(encoder, tokenizer, CORPUS, CONFIG, progress=False)
    assert torch.equal(torch.get_rng_state(), random)
    host = PooledClassifierHost(encoder, tokenizer, head, ("glad", "sad"))
    found = accuracy(host, CORPUS.valid, 16)
    assert found.whole > 0.9
    assert found.half > 0.6
    assert fingerprint(encoder) == before


def test_the_seed_decides_the_weights() -> None:
    config = HeadConfig(max_steps=3)
    first, again = (
        train_head(small_encoder(), telling_tokenizer(), CORPUS, config, progress=False)
        for _ in range(2)
    )
    assert fingerprint(first) == fingerprint(again)


def test_states_are_kept_without_padding_and_come_back() -> None:
    encoder, framing = small_encoder(), Framing(telling_tokenizer(), "small")
    sources = [[5, 6, 7], [8], [9, 4], [5] * 9]
    kept, (states, mask) = _States(encoder, framing, sources), states_of(encoder, framing, sources)
    rows = torch.tensor([2, 0])
    found, real = kept[rows]
    assert torch.equal(real, mask[rows, :3])
    torch.testing.assert_close(found, states[rows, :3], rtol=1e-3, atol=1e-3)


def test_a_training_must_end() -> None:
    with pytest.raises(InputError, match="never end"):
        HeadConfig(max_steps=None)
