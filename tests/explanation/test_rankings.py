"""Attention is the host's own, gradients are right, and nothing is left behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from rlattn.explanation import attention_scores, gradient_scores, random_scores
from rlattn.explanation.rationales import Scores
from rlattn.hosts.classifier import ClassifierHost, PooledClassifierHost, SequenceClassifierHost
from tests.hosts.classifier.small import (
    CLS,
    CONFIGS,
    SEP,
    SOURCE,
    small_classifier,
    small_model,
    small_pooled,
    small_tokenizer,
)
from tests.hosts.tiny import sentences

TEXTS = sentences(12)


@pytest.fixture(scope="module", params=[*CONFIGS, "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    return small_pooled() if request.param == "pooled" else small_classifier(request.param)


def embedding(host: ClassifierHost[Any]) -> torch.nn.Module:
    """What embeds tokens, and nothing else of them, with the norm where it is next."""
    model: Any = host._encoder if isinstance(host, PooledClassifierHost) else host.model
    found = model.get_input_embeddings()
    return model.model.embeddings if "ModernBert" in host.name else found


def log_odds(host: ClassifierHost[Any], source: list[int], scale: Tensor) -> Tensor:
    """Of each label, where the embeddings of a text's own tokens are scaled, each by a number."""
    ids = torch.tensor([[CLS, *source, SEP]])
    factors = torch.nn.functional.pad(scale, (1, 1), value=1.0)[:, None]
    hook = embedding(host).register_forward_hook(lambda _module, _args, output: output * factors)
    if isinstance(host, PooledClassifierHost):
        pool = host._pool
        states = torch.cat([pool.nothing[None], host._encoder(input_ids=ids)[0][0, 1:-1]])
        scores = torch.cat([pool.nothing_score[None], pool.scores(states[1:])])
        logits = pool.output((scores.softmax(0).T @ states).flatten())
    else:
        logits = host.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
    hook.remove()
    found: Tensor = logits.softmax(-1).logit()
    return found


def test_gradients_are_those_of_finite_differences(host: ClassifierHost[Any]) -> None:
    sources, small = host.tokenize(TEXTS, SOURCE).ids, 1e-5
    scores = gradient_scores(host, sources)
    host.model.double()  # for differences as small as this
    for source, found in zip(sources, scores, strict=True):
        ones, steps = torch.ones(len(source)).double(), small * torch.eye(len(source)).double()
        label = log_odds(host, source, ones).argmax()
        up, down = (
            torch.stack([log_odds(host, source, ones + sign * step)[label] for step in steps])
            for sign in (1, -1)
        )
        assert found == pytest.approx(((up - down) / (2 * small)).numpy(), rel=1e-3, abs=1e-2)
    host.model.float()


def test_a_norm_of_the_embeddings_leaves_something_to_rank_by(host: ClassifierHost[Any]) -> None:
    scores = np.concatenate(gradient_scores(host, host.tokenize(TEXTS, SOURCE).ids))
    assert np.abs(scores).mean() > 0.01


def equal(found: list[Scores], expected: list[Scores]) -> bool:
    return all(
        np.allclose(row, other, rtol=0.0, atol=1e-4)
        for row, other in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("scores", [attention_scores, gradient_scores])
def test_neither_batch_nor_order_matters(host: ClassifierHost[Any], scores: Any) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    together = scores(host, sources)
    assert [(len(row), row.dtype) for row in together] == [
        (len(row), np.float32) for row in sources
    ]
    assert equal(scores(host, sources, batch=1), together)
    assert equal(scores(host, sources[::-1], batch=5)[::-1], together)


def test_attention_is_the_hosts_own(host: ClassifierHost[Any]) -> None:
    (source,) = sources = host.tokenize(TEXTS[:1], SOURCE).ids
    (scores,) = attention_scores(host, sources)
    expected = host.native_attention(host.encode([source]))[0].numpy()
    assert np.array_equal(scores, expected)


@pytest.mark.parametrize("scores", [attention_scores, gradient_scores])
def test_an_empty_text_has_no_scores(host: ClassifierHost[Any], scores: Any) -> None:
    found = scores(host, [[], [5, 6]])
    assert [len(row) for row in found] == [0, 2]
    assert np.isfinite(found[1]).all()
    assert [len(row) for row in scores(host, [[]])] == [0]
    assert scores(host, []) == []


def test_the_host_is_left_as_it_was(host: ClassifierHost[Any]) -> None:
    sources, before = host.tokenize(TEXTS, SOURCE).ids, host.fingerprint
    with torch.no_grad():
        gradient_scores(host, sources)
    assert host.fingerprint == before
    assert not any(module._forward_hooks for module in host.model.modules())
    assert all(p.grad is None and not p.requires_grad for p in host.model.parameters())


def test_work_is_counted(host: ClassifierHost[Any]) -> None:
    sources, usage = host.tokenize(TEXTS, SOURCE).ids, host.usage
    usage.encoded = usage.forwards = usage.backwards = 0
    gradient_scores(host, sources, batch=5)
    assert (usage.encoded, usage.forwards, usage.backwards) == (12, 12, 12)
    attention_scores(host, sources)
    assert (usage.encoded, usage.backwards) == (24, 12)


def test_where_a_label_is_sure_there_still_is_a_ranking() -> None:
    model = small_model()
    model.classifier.weight.data *= 300
    host = SequenceClassifierHost(model, small_tokenizer())
    sources = host.tokenize(TEXTS, SOURCE).ids
    sure = [row for row in sources if host.classify(host.encode([row])).softmax(-1).max() == 1]
    assert sure
    assert all(row.any() for row in gradient_scores(host, sure))


def test_chance_has_a_seed() -> None:
    sources = [[5, 6, 7], [], [8]]
    first, again, other = (random_scores(sources, seed) for seed in (0, 0, 1))
    assert equal(first, again)
    assert not equal(first, other)
    assert [len(row) for row in first] == [3, 0, 1]
