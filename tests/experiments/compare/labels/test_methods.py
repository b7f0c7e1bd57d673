"""Every method on a classifier trains and labels, on every objective that it can be asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from rlattn.actions import segments
from rlattn.corpora import Layout, NoisyPairs
from rlattn.experiments.compare.labels.learning import make_label_policy
from rlattn.experiments.compare.labels.methods import LABEL_METHODS
from rlattn.experiments.compare.labels.scene import LabelScene, reading_of
from rlattn.experiments.compare.labels.testing import label_test
from rlattn.experiments.compare.learning import POLICY
from rlattn.experiments.compare.recorder import CURVE
from rlattn.experiments.compare.scene import Budget, Scene
from rlattn.experiments.compare.tasks import Task
from rlattn.explanation import attention_scores, faithfulness, top
from rlattn.hosts.classifier import ClassifierHost
from rlattn.hosts.seq2seq import Tokenized
from rlattn.inference.classification import classify_parts, classify_texts
from tests.envs.texts import labelled
from tests.hosts.classifier.small import small_classifier, small_pooled

ROOM = 24
TASKS = {"quality": Task("quality"), "budget": Task("budget", 0.5), "noise": Task("noise")}
EVERY = [
    (name, objective)
    for name, method in LABEL_METHODS.items()
    for objective in method.objectives or (None,)
]


def scene(
    host: ClassifierHost[Any], folder: Path, task: Task | None = None, seed: int = 0
) -> LabelScene:
    pairs = labelled(60)
    if task == Task("noise"):
        pairs = list(NoisyPairs(pairs, "train", 0, Layout("behind")))
    budget = Budget(1, 64, None, 4, ROOM, None, 12, 2, None, 1, allocations=2)
    settings = {"ppo": {objective: {"rollout": 8, "batch_size": 32} for objective in TASKS}}
    return Scene(host, pairs[12:], pairs[:12], task, seed, budget, settings, 50.0, folder)


@pytest.fixture(autouse=True)
def _sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some word ends a sentence."""
    monkeypatch.setattr(segments, "_END", re.compile("^b"))


@pytest.fixture(scope="module", params=["Bert", "ModernBertMean", "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    return small_pooled() if request.param == "pooled" else small_classifier(request.param)


@pytest.fixture(scope="module")
def plain() -> ClassifierHost[Any]:
    return small_classifier()


@pytest.mark.parametrize(("name", "objective"), EVERY)
def test_a_method_trains_and_labels(
    name: str,
    objective: str | None,
    plain: ClassifierHost[Any],
    tmp_path: Path,
) -> None:
    task = None if objective is None else TASKS[objective]
    here, method = scene(plain, tmp_path, task), LABEL_METHODS[name]
    outcome = method.train(here)
    read = method.write(here, outcome.found, here.valid, False)
    assert len(read.labels) == len(read.reads_fraction) == 12
    assert all(0 < reads <= 1 for reads in read.reads_fraction)
    assert np.mean(read.reads_fraction) == pytest.approx(outcome.best.reads_fraction)
    learned = method.kind in ("gradient", "rl", "control")
    assert (tmp_path / POLICY).exists() == (learned and name != "weights")
    assert bool(outcome.env_steps) == learned
    if learned:
        assert outcome.env_steps >= 64
        assert outcome.curve[0].env_steps == 0
        assert outcome.best in outcome.curve
        assert (tmp_path / CURVE).exists()
        assert outcome.spent.forwards > 0
    assert bool(outcome.spent.backwards) == (name in ("gradient", "weights", "warm-ppo"))


@pytest.mark.parametrize("name", ["gradient", "weights", "uniform"])
def test_soft_attention_works_whatever_a_host_pools(
    name: str, host: ClassifierHost[Any], tmp_path: Path
) -> None:
    here, method = scene(host, tmp_path, TASKS["quality"]), LABEL_METHODS[name]
    outcome = method.train(here)
    read = method.write(here, outcome.found, here.valid, False)
    assert read.reads_fraction == [1.0] * 12


@pytest.mark.parametrize("name", ["random", "first", "topk"])
def test_rankings_read_the_target_and_barely_more(
    name: str, plain: ClassifierHost[Any], tmp_path: Path
) -> None:
    method = LABEL_METHODS[name]
    assert 0.5 <= method.train(scene(plain, tmp_path, TASKS["budget"])).best.reads_fraction < 0.6


def test_what_a_ranking_opens(plain: ClassifierHost[Any], tmp_path: Path) -> None:
    here = scene(plain, tmp_path, TASKS["budget"])
    texts = [pair.source for pair in here.valid]
    sources = plain.tokenize(texts, ROOM)
    opened = {
        name: LABEL_METHODS[name].write(here, {"reads": 0.5}, here.valid, False).opened
        for name in ("first", "topk", "random")
    }
    sizes = [sum(row) for row in opened["first"]]
    assert all(row == sorted(row, reverse=True) for row in opened["first"])
    expected = top(attention_scores(plain, sources.ids), sizes)
    assert opened["topk"] == [row.astype(int).tolist() for row in expected]
    other = LABEL_METHODS["random"].write(
        scene(plain, tmp_path, TASKS["budget"], seed=1), {"reads": 0.5}, here.valid, False
    )
    assert other.opened != opened["random"]


@pytest.mark.parametrize("name", ["ppo", "gradient", "constant"])
def test_gates_are_validated_at_equal_reads(
    name: str, plain: ClassifierHost[Any], tmp_path: Path
) -> None:
    outcome = LABEL_METHODS[name].train(scene(plain, tmp_path, TASKS["budget"]))
    # One gate of a few is more than a hundredth of a text.
    assert all(0.3 < point.reads_fraction <= 0.5 for point in outcome.curve)
    assert outcome.best.score == max(point.accuracy for point in outcome.curve)


def test_all_learners_of_a_seed_start_from_one_network(
    plain: ClassifierHost[Any], tmp_path: Path
) -> None:
    here = scene(plain, tmp_path, TASKS["budget"])
    one, same = make_label_policy(here), make_label_policy(here)
    for key, value in one.state_dict().items():
        assert torch.equal(value, same.state_dict()[key])


def test_gates_begin_with_what_they_may_read(plain: ClassifierHost[Any], tmp_path: Path) -> None:
    def opened(task: Task) -> float:
        bias = make_label_policy(scene(plain, tmp_path, task)).score.bias.detach()
        return float(1 - (1 - torch.sigmoid(bias)) ** 2)  # by either of two allocations

    assert opened(Task("budget", 0.3)) == pytest.approx(0.3, abs=0.02)
    assert opened(Task("noise")) == pytest.approx(0.5, abs=0.02)


def test_gates_are_given_several_times_and_softer_allocations_once(
    plain: ClassifierHost[Any], tmp_path: Path
) -> None:
    readings = {name: reading_of(scene(plain, tmp_path, task)) for name, task in TASKS.items()}
    assert {name: reading.steps for name, reading in readings.items()} == {
        **{"quality": 1, "budget": 2, "noise": 2}
    }


def test_who_knows_the_noise_reads_what_is_asked_for(
    plain: ClassifierHost[Any], tmp_path: Path
) -> None:
    here = scene(plain, tmp_path, TASKS["noise"])
    asked = [pair.source[pair.asked] for pair in here.valid]
    clean = LABEL_METHODS["clean"].write(here, {}, here.valid, False)
    alone = classify_texts(plain, asked, max_source=ROOM)
    np.testing.assert_array_equal(clean.probabilities, alone.probabilities)
    gated = LABEL_METHODS["oracle-gate"].write(here, {}, here.valid, False)
    for row, opened, own in zip(gated.tokens, gated.opened, alone.tokens, strict=True):
        assert [token for token, open_ in zip(row, opened, strict=True) if open_] == own


def test_what_was_read_is_judged_as_a_rationale(plain: ClassifierHost[Any], tmp_path: Path) -> None:
    here, method = scene(plain, tmp_path, TASKS["budget"]), LABEL_METHODS["random"]
    left = label_test(here, method, {"reads": 0.3}, here.valid)
    sources = plain.tokenize([pair.source for pair in here.valid], ROOM)
    own = faithfulness(plain, sources.ids, left["opened"]).sufficiency
    np.testing.assert_allclose(left["sufficiency"]["own"], own, atol=1e-5)
    topk = label_test(here, LABEL_METHODS["topk"], {"reads": 0.3}, here.valid)
    np.testing.assert_allclose(
        topk["sufficiency"]["own"], left["sufficiency"]["attention"], atol=1e-5
    )
    again = classify_parts(plain, Tokenized(sources.ids, 0), left["opened"])
    assert again.labels == left["labels"]
    assert (
        label_test(scene(plain, tmp_path), LABEL_METHODS["native"], {}, here.valid)["sufficiency"]
        == {}
    )
