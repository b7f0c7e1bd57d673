"""Decoding that gradients go through writes what lanes write, and its gradients are right."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.seq2seq import Encoded
from rlattn.hosts.taped import TapedDecoder
from rlattn.steering import Allocation
from tests.hosts.tiny import SOURCE, VOCABULARY, sentences

STEPS = 4


def read(host: Seq2SeqHost, lanes: int) -> Encoded:
    return host.encode(host.tokenize(sentences(lanes, seed=2), SOURCE).ids)


def tokens(lanes: int) -> Tensor:
    """Anything that can be fed, `[steps, lanes]`."""
    return torch.randint(3, len(VOCABULARY), (STEPS, lanes))


def biases(lanes: int, source: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(STEPS, lanes, source, dtype=dtype)


def test_it_writes_what_lanes_write(each_host: Seq2SeqHost) -> None:
    encoded, fed = read(each_host, 5), tokens(5)
    lanes = LaneDecoder(each_host, LaneSources.of(encoded), STEPS, record=True)
    taped = TapedDecoder(each_host, encoded, STEPS)
    for token, bias in zip(fed, biases(5, encoded.mask.shape[1]), strict=True):
        expected = lanes.step(token, Allocation("bias", bias))
        found = taped.step(token, Allocation("bias", bias.requires_grad_()))
        for theirs, ours in zip(expected[:3], found[:3], strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)
        assert torch.allclose(found.attention, expected.attention, atol=1e-6)
        assert found.logits.requires_grad
        assert not found.attention.requires_grad


def test_lanes_that_stop_leave_the_others_as_they_are(host: Seq2SeqHost) -> None:
    encoded, fed = read(host, 5), tokens(5)
    every, fewer = (TapedDecoder(host, encoded, STEPS) for _ in range(2))
    for token, live in zip(fed, (5, 3, 3, 1), strict=True):
        expected = every.step(token)
        assert torch.allclose(fewer.step(token[:live]).logits, expected.logits[:live], atol=1e-5)


def test_every_token_that_is_fed_is_counted(host: Seq2SeqHost) -> None:
    encoded, before = read(host, 5), host.usage.forwards
    taped = TapedDecoder(host, encoded, STEPS)
    for token, live in zip(tokens(5), (5, 3, 3, 1), strict=True):
        taped.step(token[:live])
    assert host.usage.forwards - before == 12


@pytest.fixture(scope="module")
def exact(host: Seq2SeqHost) -> Seq2SeqHost:
    """A host in double precision."""
    return Seq2SeqHost(copy.deepcopy(host.model).double(), host.tokenizer, "exact")


@pytest.mark.parametrize("mode", ["bias", "gate"])
def test_gradients_are_finite_differences(exact: Seq2SeqHost, mode: str) -> None:
    encoded, fed = read(exact, 2), tokens(2)
    values = biases(2, encoded.mask.shape[1], torch.double)
    values = (values.sigmoid() if mode == "gate" else values).requires_grad_()

    def written(values: Tensor) -> Tensor:
        taped = TapedDecoder(exact, encoded, STEPS)
        logits = [
            taped.step(token, Allocation(mode, row)).logits
            for token, row in zip(fed, values, strict=True)
        ]
        return torch.stack(logits).logsumexp(-1)

    assert torch.autograd.gradcheck(written, values)


def test_without_time_a_step_teaches_itself_alone(host: Seq2SeqHost) -> None:
    encoded, fed = read(host, 3), tokens(3)
    values = biases(3, encoded.mask.shape[1])
    reached = []
    for through_time in (True, False):
        given = values.clone().requires_grad_()
        taped = TapedDecoder(host, encoded, STEPS, through_time=through_time)
        for token, row in zip(fed, given, strict=True):
            logits = taped.step(token, Allocation("bias", row)).logits
        (gradient,) = torch.autograd.grad(logits.logsumexp(-1).sum(), given)
        reached.append(gradient.abs().sum((1, 2)) > 0)
    assert reached[0].all()
    assert reached[1].tolist() == [False, False, False, True]
    assert np.isfinite(gradient.numpy()).all()
