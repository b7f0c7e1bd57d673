"""The fingerprint follows a model's weights, and nothing else."""

from __future__ import annotations

import copy

import pytest
import torch

from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.fingerprint import fingerprint
from tests.hosts.tiny import tiny_host


def test_it_is_a_digest_of_the_weights(each_host: Seq2SeqHost) -> None:
    digest = fingerprint(each_host.model)
    assert len(digest) == 64
    int(digest, 16)
    assert fingerprint(copy.deepcopy(each_host.model)) == digest
    assert each_host.fingerprint == digest


def test_using_a_model_does_not_change_it() -> None:
    model = tiny_host().model
    digest = fingerprint(model)
    model.train()
    model(input_ids=torch.tensor([[5, 6]]), labels=torch.tensor([[7, 8]]))
    model.set_attn_implementation("eager")
    model.config.name_or_path = model.generation_config.max_length = 7
    assert fingerprint(model) == digest


def test_every_weight_counts() -> None:
    model = tiny_host().model
    digests = {fingerprint(model)}
    for weight in model.parameters():
        with torch.no_grad():
            weight.view(-1)[0] += 1
        digests.add(fingerprint(model))
    assert len(digests) == 1 + len(list(model.parameters()))


def test_a_change_that_is_taken_back_is_forgiven() -> None:
    model = tiny_host().model
    before, weights = fingerprint(model), copy.deepcopy(model.state_dict())
    model.load_state_dict(tiny_host(seed=1).model.state_dict())
    assert fingerprint(model) != before
    model.load_state_dict(weights)
    assert fingerprint(model) == before


def test_an_exchanged_weight_counts() -> None:
    model = tiny_host().model
    before = fingerprint(model)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight + 1)
    assert fingerprint(model) != before


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_the_precision_counts(dtype: torch.dtype) -> None:
    model = tiny_host().model
    assert fingerprint(copy.deepcopy(model).to(dtype)) != fingerprint(model)
