"""Drops in probability are those of texts from which tokens were really removed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from rlattn.errors import InputError
from rlattn.explanation import (
    Faithfulness,
    Rationale,
    aopc,
    attention_scores,
    faithfulness,
    faithfulness_by_name,
    gradient_scores,
    random_scores,
    top,
)
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference.classification import classify_texts
from tests.explanation.telling import pooled, sources_and_rationales, whole
from tests.hosts.classifier.small import SOURCE, small_classifier, small_pooled
from tests.hosts.tiny import sentences

TEXTS = sentences(20)


@pytest.fixture(
    scope="module",
    params=[small_classifier, lambda: small_classifier("ModernBertMean"), small_pooled],
    ids=["first", "mean", "pooled"],
)
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    built: ClassifierHost[Any] = request.param()
    return built


def random_rationales(sources: list[list[int]]) -> list[Rationale]:
    """Some of them empty, some whole."""
    generator = np.random.default_rng(0)
    return [generator.random(len(row)) < generator.choice([0.0, 0.4, 1.0]) for row in sources]


def probabilities(host: ClassifierHost[Any], source: list[int]) -> npt.NDArray[np.float32]:
    """What the host makes of one text alone."""
    found: npt.NDArray[np.float32] = host.classify(host.encode([source])).softmax(-1)[0].numpy()
    return found


def one_by_one(
    host: ClassifierHost[Any], source: list[int], rationale: Rationale
) -> tuple[float, float]:
    """Comprehensiveness and sufficiency of one text, the plain way."""
    full = probabilities(host, source)
    label = full.argmax()
    without = [token for token, inside in zip(source, rationale, strict=True) if not inside]
    alone = [token for token, inside in zip(source, rationale, strict=True) if inside]
    return (
        float(full[label] - probabilities(host, without)[label]),
        float(full[label] - probabilities(host, alone)[label]),
    )


def alike(found: Faithfulness, expected: Faithfulness) -> bool:
    return np.allclose(
        [found.comprehensiveness, found.sufficiency],
        [expected.comprehensiveness, expected.sufficiency],
        rtol=0.0,
        atol=1e-5,
    )


def test_it_is_what_one_text_after_the_other_gives(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    rationales = random_rationales(sources)
    found = faithfulness(host, sources, rationales, batch=7)
    assert found.comprehensiveness.dtype == found.sufficiency.dtype == np.float32
    pairs = [one_by_one(host, *given) for given in zip(sources, rationales, strict=True)]
    assert alike(found, Faithfulness(*np.array(pairs, np.float32).T))


def test_what_removes_nothing_drops_by_nothing(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    everything, nothing = ([[value] * len(row) for row in sources] for value in (1, 0))
    whole_texts = faithfulness(host, sources, everything, batch=3)
    empty = faithfulness(host, sources, nothing, batch=3)
    assert (whole_texts.sufficiency == 0).all()
    assert (empty.comprehensiveness == 0).all()
    # And one removes what the other keeps.
    assert np.array_equal(whole_texts.comprehensiveness, empty.sufficiency)
    assert np.abs(empty.sufficiency).max() > 0.05


def test_neither_batch_nor_order_matters(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    rationales = random_rationales(sources)
    together = faithfulness(host, sources, rationales)
    assert alike(faithfulness(host, sources, rationales, batch=1), together)
    turned = faithfulness(host, sources[::-1], rationales[::-1])
    back = Faithfulness(turned.comprehensiveness[::-1], turned.sufficiency[::-1])
    assert alike(back, together)


def test_what_a_policy_opened_is_a_rationale(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, TEXTS, max_source=SOURCE)  # natively: all is opened
    found = faithfulness(host, read.tokens, read.opened)
    assert (found.sufficiency == 0).all()


def test_each_text_is_read_once_and_counted() -> None:
    host = small_classifier()
    faithfulness(host, [[5, 6], [5, 6], [7]], [[1, 0], [0, 1], [1]])
    # [5, 6], [7], [5], [6] and nothing.
    assert (host.usage.encoded, host.usage.forwards, host.usage.backwards) == (5, 5, 0)


def test_no_texts_have_no_drops(host: ClassifierHost[Any]) -> None:
    assert faithfulness(host, [], []).comprehensiveness.shape == (0,)
    assert aopc(host, [], []).sufficiency.shape == (0,)


def test_the_curve_is_the_mean_over_rationales_of_its_sizes(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    scores = random_scores(sources, 0)
    parts = []
    for percent in (1, 5, 10, 20, 50):
        sizes = [math.ceil(percent * len(row) / 100) for row in sources]
        found = faithfulness(host, sources, top(scores, sizes))
        parts.append([found.comprehensiveness, found.sufficiency])
    assert alike(aopc(host, sources, scores, batch=5), Faithfulness(*np.mean(parts, 0)))


def test_a_share_of_a_whole_number_of_tokens_is_that_many() -> None:
    host, source = small_classifier(), [5 + place % 40 for place in range(50)]
    scores = random_scores([source], 0)
    assert math.ceil(0.14 * 50) == 8  # for 0.14 is a little more than that
    expected = faithfulness(host, [source], top(scores, [7]))
    assert alike(aopc(host, [source], scores, bins=[0.14]), expected)


def test_what_does_not_fit_is_refused(host: ClassifierHost[Any]) -> None:
    with pytest.raises(InputError, match="2 texts and rationales or scores of 1"):
        faithfulness(host, [[5], [6]], [[1]])
    with pytest.raises(
        InputError, match="text 1 has 2 tokens and its rationale or scores are of 3"
    ):
        faithfulness(host, [[5], [6, 7]], [[1], [1, 0, 1]])
    for bins in ([], [0.0], [1.5]):
        with pytest.raises(InputError, match="give at least one share, above 0"):
            aopc(host, [[5]], random_scores([[5]], 0), bins=bins)


@pytest.mark.parametrize("make", [whole, pooled])
def test_the_word_that_tells_is_faithful_and_gradients_find_it_and_chance_does_not(
    make: Any,
) -> None:
    host = make()
    sources, rationales = sources_and_rationales(host)
    sizes = [1] * len(sources)
    known = faithfulness(host, sources, rationales)
    gradient = faithfulness(host, sources, top(gradient_scores(host, sources), sizes))
    chance = faithfulness(host, sources, top(random_scores(sources, 0), sizes))
    for found in (known, gradient):
        assert found.comprehensiveness.mean() > 0.3 > 0.15 > chance.comprehensiveness.mean()
        assert abs(found.sufficiency.mean()) < 0.1 < 0.25 < chance.sufficiency.mean()
    by_gradient = aopc(host, sources, gradient_scores(host, sources))
    for scores in (random_scores(sources, 0), attention_scores(host, sources)):
        other = aopc(host, sources, scores)
        assert by_gradient.comprehensiveness.mean() > other.comprehensiveness.mean()
        assert by_gradient.sufficiency.mean() < other.sufficiency.mean()


def test_several_at_once_are_what_each_is_alone(host: ClassifierHost[Any]) -> None:
    sources = host.tokenize(TEXTS, SOURCE).ids
    chosen = {"some": random_rationales(sources), "all": [[1] * len(row) for row in sources]}
    before = host.usage.encoded
    found = faithfulness_by_name(host, sources, chosen)
    read = host.usage.encoded - before
    assert list(found) == list(chosen)
    for name, rationales in chosen.items():
        assert alike(found[name], faithfulness(host, sources, rationales))
    assert host.usage.encoded - before - read > read, "whole texts are read once for all of them"
