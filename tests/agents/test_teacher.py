"""Along given targets the host does what it does elsewhere, and the policy sees what it sees."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from rlattn.actions import make_family
from rlattn.agents.lessons import Lesson
from rlattn.agents.teacher import walk
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from tests.agents.teaching import TEXTS, along, references
from tests.envs.cores import native, steered
from tests.hosts.tiny import generate
from tests.inference.policies import SENTENCES, strong


def by_lane(rows: list[Tensor]) -> list[Tensor]:
    """What steps gave, `[lanes, ...]` each, as what each lane was given, `[steps, ...]`."""
    return [
        torch.stack([row[lane] for row in rows if len(row) > lane]) for lane in range(len(rows[0]))
    ]


def text(host: Seq2SeqHost, lesson: Lesson, lane: int) -> str:
    return host.detokenize(lesson.source[[lane]].tolist())[0]


def test_native_steps_are_one_forward_along_the_targets(each_host: Seq2SeqHost) -> None:
    lesson = along(each_host, TEXTS, references(each_host))
    policy = strong(each_host).policy
    logits = [step.logits for step in walk(each_host, lesson, policy, lambda *_: None)]
    for lane, found in enumerate(by_lane(logits)):
        fed = [each_host.start_token, *lesson.targets[lane, : lesson.lengths[lane] - 1].tolist()]
        expected = native(each_host, Pair(text(each_host, lesson, lane), ""), fed)
        assert torch.allclose(found.log_softmax(-1), expected, atol=1e-4)


@pytest.mark.parametrize("action", ["gate", "bias"])
def test_steered_steps_are_those_of_an_environment(each_host: Seq2SeqHost, action: str) -> None:
    lesson = along(each_host, TEXTS, references(each_host))
    actions: list[Tensor] = []

    def act(family, distribution, mask):
        actions.append(distribution.mode())
        return family.allocation(family.nearest(actions[-1]), mask)

    steps = list(walk(each_host, lesson, strong(each_host, action).policy, act))
    given, found = by_lane(actions), by_lane([step.logits for step in steps])
    for lane, logits in enumerate(found):
        pair = Pair(text(each_host, lesson, lane), "")
        targets = lesson.targets[lane].tolist()
        expected = steered(each_host, make_family(action), pair, list(given[lane]), targets)
        assert torch.allclose(logits.log_softmax(-1), expected, atol=1e-4)


@pytest.mark.parametrize("action", ["gate", "bias", "topk:2", "topk:30%", "gate:2", SENTENCES])
def test_a_policy_sees_what_it_sees_in_generate(host: Seq2SeqHost, action: str) -> None:
    trained = strong(host, action)
    policy = copy.deepcopy(trained.policy)
    with trained.steer(host.model):
        written = generate(host, TEXTS)
    lesson = along(host, TEXTS, written)

    def act(family, distribution, mask):
        return family.allocation(family.nearest(distribution.mode()), mask)

    steps = list(walk(host, lesson, policy, act))
    assert all(torch.equal(step.logits.argmax(-1), step.target) for step in steps)
    assert written != generate(host, TEXTS)


def test_sentences_are_gone_through_as_if_each_were_alone(host: Seq2SeqHost) -> None:
    policy, targets = strong(host, "bias").policy, references(host)

    def act(family, distribution, mask):
        return family.allocation(distribution.mode(), mask)

    def logits(texts: list[str], targets: list[list[int]]) -> tuple[Lesson, list[Tensor]]:
        lesson = along(host, texts, targets)
        return lesson, by_lane([step.logits for step in walk(host, lesson, policy, act)])

    alone = {
        words: logits([words], [target])[1][0] for words, target in zip(TEXTS, targets, strict=True)
    }
    lesson, together = logits(TEXTS, targets)
    for lane, found in enumerate(together):
        assert torch.allclose(found, alone[text(host, lesson, lane)], atol=1e-4)
