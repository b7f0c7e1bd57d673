"""What gradients through a classifier do to a policy that reads for it, and what they cost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.actions.distributions import NonEmptyBernoulli
from rlattn.agents import (
    LabelGradientSettings,
    LabelValidator,
    LabelWeights,
    Meter,
    WeightsSettings,
    learn_label_gradient,
    learn_label_weights,
)
from rlattn.agents.label_gradient import _Objective
from rlattn.agents.label_lessons import make_label_lesson
from rlattn.agents.label_weights import label_surprise
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost, SequenceClassifierHost
from rlattn.inference.classification import classify_texts
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from tests.envs.texts import labelled
from tests.hosts.classifier.small import (
    LABELS,
    small_classifier,
    small_model,
    small_pooled,
    small_tokenizer,
)
from tests.hosts.tiny import SOURCE
from tests.inference.policies import strong_reader

STEPS, EVERY, LANES = 60, 20, 4
BUDGET: dict[str, Any] = {
    "steps": STEPS,
    "every": EVERY,
    "lanes": LANES,
    "max_source": SOURCE,
    "progress": False,
}
PAIRS = labelled(30)
READING = Reading(3)


@pytest.fixture(scope="module", params=["Bert", "ModernBertMean", "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    return small_pooled() if request.param == "pooled" else small_classifier(request.param)


def validator(host: ClassifierHost[Any]) -> LabelValidator[Any]:
    return LabelValidator(
        PAIRS[:5],
        Meter(host),
        native_accuracy=50.0,
        classify=lambda texts, learned: (
            learned(texts)
            if isinstance(learned, LabelWeights)
            else learned.classify(texts, host, max_source=SOURCE)
        ),
    )


def taught(
    host: ClassifierHost[Any],
    action: str = "gate",
    reading: Reading = READING,
    steps: int = STEPS,
    **settings: Any,
) -> tuple[AttentionPolicy, LabelValidator]:
    torch.manual_seed(0)
    config = PolicyConfig(action, host.d_model, reading.d_state(len(LABELS)), width=16)
    policy, watching = AttentionPolicy(config), validator(host)
    how = LabelGradientSettings(**settings)
    learn_label_gradient(
        host, PAIRS, policy, how, reading=reading, validator=watching, **{**BUDGET, "steps": steps}
    )
    return policy, watching


def test_texts_are_read_as_the_policy_reads_them(
    host: ClassifierHost[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # With the likeliest gates in the place of drawn ones.
    monkeypatch.setattr(NonEmptyBernoulli, "straight_through", lambda self, _: self.mode().float())
    texts, labels = [pair.source for pair in PAIRS], [pair.target for pair in PAIRS]
    policy = strong_reader(host, READING)
    expected = policy.classify(texts, host, max_source=SOURCE)
    lesson = make_label_lesson(host, expected.tokens, labels)
    settings = LabelGradientSettings(reads_weight=-10.0)
    loss, steps = _Objective(host, policy.policy, READING, settings)(lesson)
    right = [host.labels.index(label) for label in labels]
    given = torch.tensor(expected.probabilities[np.arange(len(right)), right])
    surprise = -given.log().sum() + 10 * sum(expected.reads_fraction)
    torch.testing.assert_close(loss, surprise, rtol=1e-4, atol=1e-3)
    # A step that opens nothing is the last one of a text.
    last = [max(opened) for opened in expected.opened]
    assert steps == sum(min(step + 1, READING.steps) for step in last)
    assert min(expected.reads_fraction) < 1 < max(last)


@pytest.mark.parametrize(("action", "reading"), [("gate", READING), ("bias", Reading(1))])
def test_the_same_seed_gives_the_same_weights_and_other_than_at_the_start(
    host: ClassifierHost[Any], action: str, reading: Reading
) -> None:
    first, again = (taught(host, action, reading)[0].state_dict() for _ in range(2))
    for name, weight in first.items():
        assert torch.equal(weight, again[name])
    start = taught(host, action, reading, learning_rate=0.0)[0].state_dict()
    assert any(not torch.equal(weight, start[name]) for name, weight in first.items())


def test_what_gates_do_to_the_loss_is_bounded(host: ClassifierHost[Any]) -> None:
    # Where they do nothing to it, and cost nothing, there is nothing to learn.
    start = taught(host, learning_rate=0.0)[0].state_dict()
    for name, weight in taught(host, bound=0.0)[0].state_dict().items():
        assert torch.equal(weight, start[name])


def test_a_price_shuts_gates() -> None:
    host = small_classifier()
    watching = taught(host, reading=Reading(1), steps=400, reads_weight=-30.0, learning_rate=0.03)[
        1
    ]
    first, last = watching.curve[0], watching.curve[-1]
    assert last.reads_fraction < 0.5 < first.reads_fraction


def test_it_is_validated_before_during_and_at_the_end_and_backwards_are_texts() -> None:
    host = small_classifier()
    watching = taught(host, reading=Reading(1))[1]
    taken = [point.env_steps for point in watching.curve]
    assert taken == [0, 20, 40, 60]
    assert all(later > earlier for earlier, later in pairwise(taken))
    spent = watching.curve[-1].spent
    assert spent.backwards == spent.forwards == STEPS


def test_the_host_stays_as_it_is(host: ClassifierHost[Any]) -> None:
    before = {name: weight.clone() for name, weight in host.model.state_dict().items()}
    taught(host, reads_weight=-0.1)
    for name, weight in host.model.state_dict().items():
        assert torch.equal(weight, before[name])
    assert all(weight.grad is None for weight in host.model.parameters())


def test_choices_among_positions_and_costs_without_gates_are_refused() -> None:
    host = small_classifier()
    with pytest.raises(InputError, match="has no gradient: use bias, mix"):
        taught(host, "topk:2")
    with pytest.raises(InputError, match="by gates alone"):
        taught(host, "bias", reads_target=0.3)


def test_a_label_that_the_host_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="a text has the label 'odd'"):
        make_label_lesson(small_classifier(), [[5]], ["odd"])


class TestWeights:
    def test_no_vector_looks_everywhere_alike(self, host: ClassifierHost[Any]) -> None:
        texts = [pair.source for pair in PAIRS]
        read = LabelWeights(host, torch.zeros(host.d_model), SOURCE)(texts)
        assert read.reads_fraction == [1.0] * len(texts)
        if host.name == "tiny-ModernBertMean":  # which does so by itself
            native = classify_texts(host, texts, max_source=SOURCE)
            np.testing.assert_allclose(read.probabilities, native.probabilities, atol=1e-4)

    @pytest.mark.parametrize("family", ["Bert", "ModernBertMean"])
    def test_the_gradient_is_that_of_finite_differences(self, family: str) -> None:
        model = small_model(family, initializer_range=0.1).double()
        host = SequenceClassifierHost(model, small_tokenizer(), "exact")
        lesson = make_label_lesson(host, [[5, 6, 7], [8, 9]], LABELS[:2])
        vector = torch.randn(host.d_model, requires_grad=True)
        (found,) = torch.autograd.grad(label_surprise(host, lesson, vector), vector)
        for direction in torch.eye(host.d_model)[:6]:
            step = 0.05 * direction
            ends = [label_surprise(host, lesson, vector.detach() + s * step) for s in (1, -1)]
            slope = (ends[0] - ends[1]) / 0.1
            torch.testing.assert_close(found @ direction, slope, rtol=0.05, atol=1e-4)

    def test_descent_finds_a_better_vector_than_none(self, host: ClassifierHost[Any]) -> None:
        watching = validator(host)
        found = learn_label_weights(
            host, PAIRS, WeightsSettings(0.1), validator=watching, **{**BUDGET, "steps": 240}
        )
        sources = host.tokenize([pair.source for pair in PAIRS], SOURCE).ids
        lesson = make_label_lesson(host, sources, [pair.target for pair in PAIRS])
        nothing = torch.zeros_like(found.vector)
        assert label_surprise(host, lesson, found.vector) < label_surprise(host, lesson, nothing)
        assert watching.curve[-1].env_steps == watching.curve[-1].spent.backwards == 240
