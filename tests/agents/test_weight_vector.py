"""One vector for all steps: it learns where the memory says what matters."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from rlattn.agents import Meter, Validator, WeightVector, learn_weights
from rlattn.agents.weight_vector import surprise, weighed
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import steer
from tests.agents.learners import BUDGET, LIMITS, STEPS
from tests.agents.teaching import TEXTS, along, references
from tests.hosts.tiny import generate, pairs, sentences


def learned(host: Seq2SeqHost) -> tuple[WeightVector, Validator[WeightVector]]:
    validator = Validator[WeightVector](
        pairs(5, seed=1),
        Meter(host),
        native_bleu=1.0,
        translate=lambda texts, vector: vector(texts),
    )
    return learn_weights(host, pairs(40), validator=validator, **BUDGET), validator


def test_it_writes_what_generate_writes_under_its_allocation(each_host: Seq2SeqHost) -> None:
    vector = torch.randn(each_host.d_model)
    texts = sentences(12)
    output = WeightVector(each_host, vector, **LIMITS)(texts)
    for text, written in zip(texts, output.texts, strict=True):
        encoded = each_host.encode(each_host.tokenize([text], 64).ids)
        with steer(each_host.model, weighed(encoded, vector)):
            rows = generate(each_host, [text])
        assert written == each_host.detokenize(rows)[0]
    assert output.reads_fraction == [1.0] * 12


def test_no_vector_looks_everywhere_alike(host: Seq2SeqHost) -> None:
    encoded = host.encode(host.tokenize(TEXTS, 64).ids)
    values = weighed(encoded, torch.zeros(host.d_model)).values
    assert torch.allclose(values, encoded.mask / encoded.mask.sum(-1, keepdim=True))


def test_the_gradient_is_that_of_finite_differences(host: Seq2SeqHost) -> None:
    exact = Seq2SeqHost(copy.deepcopy(host.model).double(), host.tokenizer, "exact")
    lesson = along(exact, TEXTS[:2], references(exact)[:2])

    def loss(vector: Tensor) -> Tensor:
        return surprise(exact, lesson, vector)

    vector = torch.randn(host.d_model, dtype=torch.double) / 4
    assert torch.autograd.gradcheck(loss, vector.requires_grad_())


def test_padding_and_neighbours_do_not_change_it(each_host: Seq2SeqHost) -> None:
    vector, targets = torch.randn(each_host.d_model), references(each_host)

    def along_all(texts: list[str], targets: list[list[int]]) -> float:
        return surprise(each_host, along(each_host, texts, targets), vector).item()

    alone = [along_all([text], [target]) for text, target in zip(TEXTS, targets, strict=True)]
    assert along_all(TEXTS, targets) == pytest.approx(sum(alone), rel=1e-4)


def test_every_target_token_is_a_forward_and_a_backward(host: Seq2SeqHost) -> None:
    _, validator = learned(host)
    last = validator.curve[-1]
    assert last.env_steps >= STEPS
    assert last.spent.forwards == last.spent.backwards == last.env_steps


def test_the_same_seed_gives_the_same_vector(host: Seq2SeqHost) -> None:
    (first, _), (again, _) = learned(host), learned(host)
    assert first.vector.any()
    assert torch.equal(first.vector, again.vector)


def test_descent_finds_a_better_vector_than_none(host: Seq2SeqHost) -> None:
    lesson = along(host, TEXTS, references(host))
    vector = torch.zeros(host.d_model, requires_grad=True)
    before = surprise(host, lesson, vector)
    optimizer = torch.optim.Adam([vector], lr=0.05)
    for _ in range(30):
        optimizer.zero_grad()
        surprise(host, lesson, vector).backward()
        optimizer.step()
    assert surprise(host, lesson, vector) < before - 1.0
