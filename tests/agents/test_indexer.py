"""The indexer comes closer to native attention, and pays for each time it looks at it."""

from __future__ import annotations

import copy

import pytest
import torch

from rlattn.agents import IndexerSettings, learn_indexer
from rlattn.agents.indexer import divergence
from rlattn.agents.teacher import walk
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from tests.agents.learners import STEPS, learned
from tests.agents.teaching import TEXTS, along, references
from tests.inference.policies import strong


def test_scores_that_say_nothing_are_as_far_as_attention_is_from_uniform(
    host: Seq2SeqHost,
) -> None:
    lesson, policy = along(host, TEXTS, references(host)), strong(host, "topk:2").policy
    torch.nn.init.zeros_(policy.score.weight)
    expected = 0.0
    for step in walk(host, lesson, policy, lambda *_: None):
        positions = lesson.encoded.mask[: len(step.fed)].sum(-1)
        entropy = torch.special.entr(step.attention).sum(-1)
        expected += (positions.log() - entropy).sum().item()
    # What is read does not matter to native attention, nor to such scores.
    for sparse in (False, True):
        found = divergence(host, lesson, policy, sparse=sparse)
        assert found.item() == pytest.approx(expected, rel=1e-4)


def test_padding_and_neighbours_do_not_change_it(host: Seq2SeqHost) -> None:
    policy, targets = strong(host, "topk:30%").policy, references(host)
    together = divergence(host, along(host, TEXTS, targets), policy, sparse=True)
    alone = [
        divergence(host, along(host, [text], [target]), policy, sparse=True)
        for text, target in zip(TEXTS, targets, strict=True)
    ]
    assert together.item() == pytest.approx(torch.stack(alone).sum().item(), rel=1e-4)


def test_its_gradient_is_that_of_the_scores_alone(host: Seq2SeqHost) -> None:
    lesson = along(host, TEXTS, references(host))
    policy = copy.deepcopy(strong(host, "topk:2").policy).requires_grad_(True)
    backwards = host.usage.backwards
    divergence(host, lesson, policy, sparse=True).backward()
    assert policy.score.weight.grad.any()
    assert all(weight.grad is None for weight in host.model.parameters())
    assert host.usage.backwards == backwards


@pytest.mark.parametrize(("warm_up", "forwards"), [(1.0, 1), (0.0, 2)])
def test_a_sparse_step_is_two_forwards(host: Seq2SeqHost, warm_up: float, forwards: int) -> None:
    settings = IndexerSettings(prefix="reference", warm_up=warm_up)
    last = learned(learn_indexer, host, "topk:2", settings)[1].curve[-1]
    assert last.env_steps >= STEPS
    assert last.spent.forwards == forwards * last.env_steps
    assert last.spent.backwards == 0


def test_the_same_seed_gives_the_same_weights(host: Seq2SeqHost) -> None:
    first, again = (learned(learn_indexer, host, "topk:30%")[0] for _ in range(2))
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])


def test_only_a_top_k_is_an_indexer(host: Seq2SeqHost) -> None:
    with pytest.raises(InputError, match="an indexer keeps its top k: use topk:4"):
        learned(learn_indexer, host, "gate")
