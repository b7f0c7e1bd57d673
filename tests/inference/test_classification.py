"""Labelling texts under a policy: what a greedy episode does, whatever the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from rlattn.actions import make_family
from rlattn.agents import make_ppo, trained_policy
from rlattn.envs import AttentionVecEnv, ClassificationCore
from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.inference import TrainedPolicy, load
from rlattn.inference.classification import classify_parts, classify_texts
from rlattn.observation import Observation
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from rlattn.steering import Allocation
from tests.envs.texts import labelled, make
from tests.hosts.classifier.labelled import CORPUS
from tests.hosts.classifier.small import (
    LABELS,
    small_classifier,
    small_model,
    small_pooled,
    small_tokenizer,
)
from tests.hosts.tiny import SOURCE

READING = Reading(3)
TEXTS = [pair.source for pair in labelled(30)]


@pytest.fixture(scope="module", params=[small_classifier, small_pooled], ids=["whole", "pooled"])
def host(request: pytest.FixtureRequest) -> ClassifierHost[Any]:
    built: ClassifierHost[Any] = request.param()
    return built


def strong(host: ClassifierHost[Any], action: str = "gate") -> AttentionPolicy:
    """A random policy that acts strongly: some gates open at once, some later."""
    torch.manual_seed(0)
    spec = make_family(action).fit(host).spec
    policy = AttentionPolicy(PolicyConfig(spec, host.d_model, READING.d_state(len(LABELS)), 16))
    for layer in policy.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.5)
    nn.init.zeros_(policy.score.bias)
    return policy.eval().requires_grad_(False)


def greedy_episodes(
    core: ClassificationCore, policy: AttentionPolicy, texts: int
) -> dict[str, tuple[str, list[int]]]:
    """By text: the label at the end, and the step that opened each position."""
    core.reset(0)
    found: dict[str, tuple[str, list[int]]] = {}
    when = [torch.zeros(SOURCE, dtype=torch.long) for _ in range(core.lanes)]
    while len(found) < texts:
        view, mask = core.view(), core.mask
        observation = Observation(
            core.memory()[mask],
            mask,
            view["state"],
            core.embedding.gather(view["token"]),
            view["attention"],
            view["coverage"],
        )
        at = [core.pair(lane).source for lane in range(core.lanes)]
        ages = core.ages
        transition = core.step(policy.act(observation))
        for lane, text in enumerate(at):
            opened = transition.opened[lane].nonzero()[:, 0]
            when[lane][opened] = int(ages[lane]) + 1
            if transition.terminated[lane]:
                length = int(mask[lane].sum())
                label = LABELS[int(transition.token[lane])]
                found[text] = label, when[lane][:length].tolist()
                when[lane] = torch.zeros(SOURCE, dtype=torch.long)
    return found


@pytest.mark.parametrize("action", ["gate", "topk:2", "bias", "simplex"])
def test_it_reads_as_a_greedy_episode_does(host: ClassifierHost[Any], action: str) -> None:
    policy = strong(host, action)
    unique = len(set(TEXTS))
    episodes = greedy_episodes(make(host, action=action, split=labelled(30)), policy, unique)
    read = classify_texts(host, TEXTS, policy, READING, max_source=SOURCE)
    for text, label, opened in zip(TEXTS, read.labels, read.opened, strict=True):
        assert (label, opened) == episodes[text]
    if action == "gate":
        assert {step for opened in read.opened for step in opened} == {0, 1, 2, 3}


def test_a_text_is_labelled_from_its_rationale_alone(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, TEXTS, strong(host), READING, max_source=SOURCE)
    for row, (tokens, opened) in enumerate(zip(read.tokens, read.opened, strict=True)):
        rationale = torch.tensor([opened]) > 0
        logits = host.classify(host.encode([tokens]), Allocation("gate", rationale))
        assert read.probabilities[row] == pytest.approx(logits.softmax(-1)[0].numpy(), abs=1e-5)
        assert read.reads_fraction[row] == pytest.approx(float(rationale.float().mean()))


def test_neither_batch_nor_padding_matters(host: ClassifierHost[Any]) -> None:
    policy = strong(host)
    together = classify_texts(host, TEXTS, policy, READING, max_source=SOURCE)
    alone = classify_texts(host, TEXTS, policy, READING, max_source=SOURCE, batch=1)
    assert together.opened == alone.opened
    assert np.allclose(together.probabilities, alone.probabilities, atol=1e-5)


def test_natively_everything_is_read(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, TEXTS, max_source=SOURCE)
    assert all(step == 1 for opened in read.opened for step in opened)
    assert read.reads_fraction == [1.0] * len(TEXTS)
    encoded = host.encode(host.tokenize(TEXTS, SOURCE).ids)
    expected = host.classify(encoded).softmax(-1).numpy()
    assert np.allclose(read.probabilities, expected, atol=1e-5)


def test_no_texts_have_no_labels(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, [], max_source=SOURCE)
    assert (read.labels, read.probabilities.shape) == ([], (0, len(LABELS)))


def test_long_texts_are_cut_and_counted(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, TEXTS, max_source=2)
    assert max(map(len, read.tokens)) == 2
    assert read.truncated == sum(len(ids) > 2 for ids in host.tokenize(TEXTS, SOURCE).ids) > 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier's folder."""
    place = tmp_path_factory.mktemp("classifier")
    small_model().save_pretrained(place)
    small_tokenizer().save_pretrained(place)
    return place


class TestTrainedPolicy:
    """A policy from a folder labels texts by itself."""

    def test_it_finds_its_host_and_reads_as_it_was_trained_to(
        self, place: Path, tmp_path: Path
    ) -> None:
        host = load_classifier(place)
        network = strong(host)
        TrainedPolicy(network, host.name, host.fingerprint, reading=READING).save(tmp_path)
        policy = load(tmp_path)
        assert policy.reading == READING
        expected = classify_texts(host, TEXTS, network, READING, max_source=SOURCE)
        for given in (None, host):
            read = policy.classify(TEXTS, given, max_source=SOURCE)
            assert (read.labels, read.opened) == (expected.labels, expected.opened)

    def test_it_finds_a_head_that_was_trained(
        self, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))
        host = load_classifier(f"pooled:{place}", lambda: CORPUS)
        torch.manual_seed(0)
        labels = len(host.labels)
        network = AttentionPolicy(PolicyConfig("gate", host.d_model, READING.d_state(labels), 16))
        policy = TrainedPolicy(network, host.name, host.fingerprint, reading=READING)
        policy.save(tmp_path / "policy")
        given, found = policy.classify(TEXTS, host), load(tmp_path / "policy").classify(TEXTS)
        assert (found.labels, found.opened) == (given.labels, given.opened)

    def test_its_labels_have_the_names_that_it_was_trained_on(
        self, place: Path, tmp_path: Path
    ) -> None:
        model = small_model()
        model.config.id2label = {number: f"LABEL_{number}" for number in range(3)}
        model.save_pretrained(tmp_path / "host")
        small_tokenizer().save_pretrained(tmp_path / "host")
        host = load_classifier(tmp_path / "host", labels=LABELS)
        core = make(host, split=labelled(30))
        reader = trained_policy(make_ppo(AttentionVecEnv(core), seed=0))
        reader.save(tmp_path / "policy")
        policy = load(tmp_path / "policy")
        assert policy.labels == LABELS
        assert policy.classify(TEXTS).labels == reader.classify(TEXTS, host).labels
        assert set(policy.classify(TEXTS).labels) <= set(LABELS)

    def test_a_host_of_more_or_fewer_labels_is_refused(self, place: Path) -> None:
        host = load_classifier(place)
        policy = TrainedPolicy(
            strong(host), host.name, host.fingerprint, reading=READING, labels=LABELS[:2]
        )
        with pytest.raises(
            InputError, match=r"2 labels \(bad, fair\), and .* has 3 \(bad, fair, g"
        ):
            policy.classify(TEXTS, host)

    def test_another_host_is_refused(self, place: Path) -> None:
        host = load_classifier(place)
        policy = TrainedPolicy(strong(host), "another", "0" * 64, reading=READING)
        with pytest.raises(InputError, match="trained on host another"):
            policy.classify(TEXTS, host)

    def test_it_does_not_steer_what_writes(self, place: Path) -> None:
        host = load_classifier(place)
        policy = TrainedPolicy(strong(host), host.name, host.fingerprint, reading=READING)
        with pytest.raises(InputError, match=r"use policy\.classify"), policy.steer(host.model):
            pass

    def test_a_policy_of_a_translator_labels_nothing(self, place: Path) -> None:
        host = load_classifier(place)
        policy = TrainedPolicy(strong(host), host.name, host.fingerprint)
        with pytest.raises(InputError, match="trained on a translator"):
            policy.classify(TEXTS)


def test_parts_of_texts_are_labelled_as_gates_would_have_it(host: ClassifierHost[Any]) -> None:
    read = classify_texts(host, TEXTS, strong(host), READING, max_source=SOURCE)
    sources = host.tokenize(TEXTS, SOURCE)
    again = classify_parts(host, sources, read.opened, batch=7)
    assert np.allclose(again.probabilities, read.probabilities, atol=1e-5)
    assert again.reads_fraction == read.reads_fraction
    whole = classify_parts(host, sources, [[1] * len(row) for row in sources.ids])
    assert np.allclose(
        whole.probabilities, classify_texts(host, TEXTS, max_source=SOURCE).probabilities, atol=1e-5
    )
