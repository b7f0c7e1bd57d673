"""The verdict on a policy that reads: others that read as much, and rationales of its sizes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import nn

from rlattn.actions import make_family
from rlattn.experiments.label_judge import judge_labels
from rlattn.explanation import attention_scores, faithfulness, random_scores, top
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.inference import TrainedPolicy
from rlattn.inference.classification import classify_texts
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from tests.experiments.moods import ROOM
from tests.hosts.classifier.labelled import CORPUS

PAIRS = CORPUS.test
TEXTS, GOLD = [pair.source for pair in PAIRS], [pair.target for pair in PAIRS]


@pytest.fixture(scope="module")
def host(moods: dict[str, Any]) -> ClassifierHost[Any]:
    return load_classifier(moods["host"])


def strong(host: ClassifierHost[Any], action: str = "gate") -> TrainedPolicy:
    """A random policy that acts strongly."""
    torch.manual_seed(0)
    reading, spec = Reading(2), make_family(action).fit(host).spec
    state = reading.d_state(len(host.labels))
    network = AttentionPolicy(PolicyConfig(spec, host.d_model, state, width=16))
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.5)
    nn.init.zeros_(network.score.bias)
    return TrainedPolicy(network, host.name, host.fingerprint, reading=reading)


def verdict(
    host: ClassifierHost[Any], policy: TrainedPolicy, out: Path, **settings: Any
) -> tuple[dict[str, Any], str]:
    """Judges on the test texts; returns the results and what was printed."""
    console = Console(file=io.StringIO(), width=120)
    settings = {"max_source": ROOM, "seed": 0, **settings}
    results = judge_labels(host, PAIRS, policy, out, console, **settings)
    return results, console.file.getvalue()  # type: ignore[attr-defined]


def test_every_method_is_scored_on_the_same_texts(
    host: ClassifierHost[Any], tmp_path: Path
) -> None:
    policy = strong(host)
    results, printed = verdict(host, policy, tmp_path)
    outputs = {
        "native": classify_texts(host, TEXTS, max_source=ROOM),
        "policy": policy.classify(TEXTS, host),
    }
    for name, output in outputs.items():
        right = [label == gold for label, gold in zip(output.labels, GOLD, strict=True)]
        assert results[name]["accuracy"] == pytest.approx(100 * np.mean(right))
        assert results[name]["reads_fraction"] == pytest.approx(np.mean(output.reads_fraction))
    assert (results["test_texts"], results["truncated_test_texts"]) == (len(PAIRS), 0)
    assert {path.name for path in tmp_path.iterdir()} == {"rationales.html", "report.txt"}
    assert all(name in printed for name in ("native", "policy", "topk", "random", "gradient x"))


def test_other_rules_read_hardly_more_than_the_policy(
    host: ClassifierHost[Any], tmp_path: Path
) -> None:
    results, _ = verdict(host, strong(host), tmp_path)
    policy = results["policy"]["reads_fraction"]
    assert 0.2 < policy < 0.8
    for name in ("topk", "random"):
        assert policy - 1e-6 <= results[name]["reads_fraction"] < policy + 0.1
    # The host looks at the word that tells; few random tokens are that word.
    assert results["random"]["accuracy"] < results["topk"]["accuracy"] - 10


def test_rationales_are_as_faithful_as_is_said(host: ClassifierHost[Any], tmp_path: Path) -> None:
    policy = strong(host)
    results, _ = verdict(host, policy, tmp_path, seed=3)
    read = policy.classify(TEXTS, host)
    sizes = [np.count_nonzero(opened) for opened in read.opened]
    rationales = {
        "policy": read.opened,
        "native attention": top(attention_scores(host, read.tokens), sizes),
        "random": top(random_scores(read.tokens, 3), sizes),
    }
    for name, chosen in rationales.items():
        found, said = faithfulness(host, read.tokens, chosen), results["explanations"][name]
        assert said["comprehensiveness"] == pytest.approx(found.comprehensiveness.mean(), abs=1e-6)
        assert said["sufficiency"] == pytest.approx(found.sufficiency.mean(), abs=1e-6)


@pytest.mark.parametrize("action", ["gate", "bias"])
def test_where_everything_is_read_there_is_nothing_to_explain(
    host: ClassifierHost[Any], action: str, tmp_path: Path
) -> None:
    policy = strong(host, action)
    if action == "gate":
        policy.policy.score.bias.fill_(1e6)
    results, printed = verdict(host, policy, tmp_path)
    assert results["explanations"] == {}
    assert not {"topk", "random"} & set(results)
    assert "sufficiency" not in printed
    assert results["policy"]["reads_fraction"] == 1
    if action == "gate":
        accuracies = [results[name]["accuracy"] for name in ("native", "policy")]
        assert accuracies[0] == accuracies[1]
        assert results["policy"]["mcnemar"].p_value == 1


def test_texts_that_are_cut_are_counted(host: ClassifierHost[Any], tmp_path: Path) -> None:
    results, _ = verdict(host, strong(host), tmp_path, max_source=4)
    longer = sum(len(ids) > 4 for ids in host.tokenize(TEXTS, ROOM).ids)
    assert results["truncated_test_texts"] == longer > 0
    assert "had more tokens than allowed" in (tmp_path / "rationales.html").read_text("utf-8")
