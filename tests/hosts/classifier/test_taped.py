"""What is taped is what is said natively, and gradients go back to each text's own tokens."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from rlattn.errors import UnsupportedModelError
from rlattn.hosts.classifier import ClassifierHost
from tests.hosts.classifier.small import CONFIGS, SOURCE, small_classifier, small_pooled
from tests.hosts.tiny import sentences

TEXTS = sentences(20)


@pytest.fixture(scope="module", params=[*CONFIGS, "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    return small_pooled() if request.param == "pooled" else small_classifier(request.param)


def hooks(host: ClassifierHost[Any]) -> int:
    return sum(len(module._forward_hooks) for module in host.model.modules())


def test_it_says_what_it_says_natively(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    encoded = host.encode(sources)
    with torch.no_grad():
        read = host.classify_taped(sources)
    torch.testing.assert_close(read.logits, host.classify(encoded), rtol=0.0, atol=1e-5)
    assert torch.equal(read.mask, encoded.mask)
    assert hooks(host) == 0


def test_gradients_reach_each_texts_own_tokens_and_no_weight(host: ClassifierHost[Any]) -> None:
    read = host.classify_taped(host.tokenize(TEXTS, SOURCE).ids)
    assert read.embeddings.is_leaf
    assert read.embeddings.shape[:2] == read.mask.shape
    read.logits[:, 0].sum().backward()
    gradient = read.embeddings.grad
    assert gradient is not None
    assert gradient[read.mask].abs().amax(1).gt(1e-6).all()
    assert all(weight.grad is None for weight in host.model.parameters())


def test_work_is_counted() -> None:
    for host in (small_classifier(), small_pooled()):
        host.classify_taped(host.tokenize(TEXTS, SOURCE).ids)
        assert (host.usage.encoded, host.usage.forwards, host.usage.backwards) == (20, 20, 0)


@pytest.mark.parametrize("times", [0, 2])
def test_a_model_that_does_not_embed_once_is_refused(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = small_classifier()
    embedding, other = host.model.get_input_embeddings(), torch.nn.Embedding(5, 5)
    forward = host.model.forward

    def strange(input_ids: torch.Tensor, **given: torch.Tensor) -> Any:
        for _ in range(times - 1):
            embedding(input_ids)
        return forward(input_ids, **given)

    monkeypatch.setattr(host.model, "forward", strange)
    if not times:
        host.model.add_module("other", other)
        monkeypatch.setattr(host.model, "get_input_embeddings", lambda: other)
    with pytest.raises(UnsupportedModelError, match=r"tiny-Bert: no gradient.*another score"):
        host.classify_taped([[5, 6]])
    assert hooks(host) == 0
