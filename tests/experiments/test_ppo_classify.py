"""The program from its command line to its last file, and how it refuses bad input."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from rich.console import Console

import rlattn
from rlattn.actions import FAMILIES
from rlattn.corpora import Pair, ParallelCorpus, load_corpus
from rlattn.experiments import classification, ppo_classify
from rlattn.experiments.classification import Config
from rlattn.experiments.ppo_classify import run
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from rlattn.inference import LabelScores
from rlattn.inference.classification import classify_texts
from rlattn.rewards import REWARDS, make_reward
from rlattn.rewards.registry import WRAPPERS
from tests.experiments.moods import ROOM, short, write_pairs
from tests.hosts.classifier.labelled import CORPUS
from tests.hosts.classifier.small import small_classifier, small_encoder, small_tokenizer
from tests.hosts.tiny import save, tiny_host
from tests.plots.readings import Shown

TEXTS, GOLD = [pair.source for pair in CORPUS.test], [pair.target for pair in CORPUS.test]
LABELS = ("glad", "sad")
METHODS = ("native", "policy", "topk", "random")
EXPLANATIONS = ("policy", "native attention", "gradient x input", "random")
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Finished:
    """A run that is over."""

    config: Config
    results: dict[str, Any]
    printed: str

    @property
    def out(self) -> Path:
        assert self.config.out is not None
        return self.config.out

    def json(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.out / name).read_text(encoding="utf-8"))
        return content


def finish(config: Config) -> Finished:
    printed = io.StringIO()
    return Finished(config, run(config, Console(file=printed, width=100)), printed.getvalue())


@pytest.fixture(scope="module")
def gate(moods: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finish(short(moods, out=tmp_path_factory.mktemp("gate") / "runs" / "out"))


@pytest.fixture(scope="module")
def bias(moods: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    out = tmp_path_factory.mktemp("bias")
    return finish(short(moods, action="bias", reward=(), steps=256, out=out))


@pytest.fixture(scope="module")
def cramped(moods: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Texts of which some have more tokens than the host has positions for."""
    folder = tmp_path_factory.mktemp("cramped")
    halves = zip(CORPUS.train[:100], CORPUS.train[100:200], strict=True)
    pairs = [Pair(f"{a.source} {b.source}", a.target) for a, b in halves]
    corpus = f"tsv:{write_pairs(folder / 'long.tsv', pairs)}"
    task = {"corpus": corpus, "host": moods["host"], "max_source": 64}
    return finish(short(task, steps=64, out=folder / "out"))


@pytest.fixture(scope="module")
def host(moods: dict[str, Any]) -> ClassifierHost[Any]:
    return load_classifier(moods["host"])


class TestOutFolder:
    @pytest.mark.parametrize("action", ["gate", "bias"])
    def test_it_holds_everything_and_nothing_else(
        self, action: str, request: pytest.FixtureRequest
    ) -> None:
        out = request.getfixturevalue(action).out
        events = [path.name for path in out.glob("events.out.tfevents.*")]
        assert len(events) == 1
        assert {path.name for path in out.iterdir()} == {
            *("config.json", "results.json", "progress.csv", "report.txt"),
            *("curves.png", "rationales.html", "policy", *events),
        }
        assert {path.name for path in (out / "policy").iterdir()} == {
            *("policy.json", "policy.safetensors"),
        }
        assert (out / "curves.png").read_bytes().startswith(PNG)

    def test_the_policy_says_how_it_was_trained_and_how_it_reads(self, gate: Finished) -> None:
        policy = rlattn.load(gate.out / "policy")
        assert policy.training is not None
        assert (policy.training.seed, policy.training.corpus) == (0, "files:train.tsv")
        assert policy.training.env_steps == gate.results["valid"]["kept"]["env_steps"]
        assert policy.reading == rlattn.reading.Reading(steps=2, stop=True)
        assert policy.labels == LABELS

    def test_the_policy_says_how_good_it_is(self, gate: Finished) -> None:
        scores = rlattn.load(gate.out / "policy").scores
        assert isinstance(scores, LabelScores)
        rows = {(row.split, row.method): row for row in scores.rows}
        assert list(rows) == [
            *(("validation", method) for method in ("native", "policy")),
            *(("test", method) for method in METHODS),
        ]
        for (split, method), row in rows.items():
            if split == "test":
                measured = gate.results[method]
                assert row.texts == len(CORPUS.test)
                for name in ("accuracy", "macro_f1", "reads_fraction"):
                    assert getattr(row, name) == measured[name]
                    assert [*getattr(row, f"{name}_interval")] == measured[f"{name}_interval"]
        kept = gate.results["valid"]["kept"]
        valid = rows["validation", "policy"]
        assert (valid.accuracy, valid.reads_fraction) == (kept["accuracy"], kept["reads_fraction"])
        assert (valid.texts, valid.macro_f1, valid.accuracy_interval) == (40, None, None)

    def test_the_config_says_what_was_given_and_what_was_chosen(
        self, gate: Finished, host: ClassifierHost[Any], moods: dict[str, Any]
    ) -> None:
        config = gate.json("config.json")
        assert {field.name for field in fields(Config)} <= set(config)
        assert (config["steps"], config["out"]) == (2048, str(gate.out))
        assert config["objective_resolved"] == {
            "weights": {"gain": 1.0, "reads": -4.0},
            "reads_target": None,
        }
        assert (config["ppo"]["learning_rate"], config["ppo"]["gamma"]) == (0.03, 0.0)
        named = {"name": "host", "fingerprint": host.fingerprint}
        assert config["host_resolved"] == gate.results["host_resolved"] == named
        assert config["labels"] == [*LABELS]
        assert config["corpus_resolved"]["name"] == "files:train.tsv"
        assert config["provenance"] == gate.results["provenance"]
        assert config["provenance"]["versions"]["torch"] == torch.__version__

    def test_the_log_has_columns_by_name(self, gate: Finished) -> None:
        with (gate.out / "progress.csv").open(newline="") as file:
            *rows, last = csv.DictReader(file)
        assert [int(row["time/total_timesteps"]) for row in rows] == [*range(256, 2049, 256)]
        # The validation after the last update has a row of its own.
        curve = gate.results["valid"]["curve"]
        for name in ("accuracy", "log_likelihood", "reads_fraction"):
            assert float(last[f"valid/{name}"]) == pytest.approx(curve[-1][name])
        for name in ("reads_fraction", "reward_gain", "reward_reads", "weight_reads"):
            assert all(math.isfinite(float(row[f"rollout/{name}"])) for row in rows)

    def test_the_report_has_every_label_natively_and_under_the_policy(self, gate: Finished) -> None:
        report = (gate.out / "report.txt").read_text(encoding="utf-8")
        for name, part in zip(METHODS[:2], re.split("(?m)^(?=policy$)", report), strict=True):
            assert part.startswith(f"{name}\n")
            rows = {line.split()[0]: line.split()[1:] for line in part.splitlines() if line.strip()}
            for label in LABELS:
                assert int(rows[label][-1]) == GOLD.count(label)
            accuracy = gate.results[name]["accuracy"] / 100
            assert float(rows["accuracy"][0]) == pytest.approx(accuracy, abs=6e-4)

    def test_the_page_shows_texts_and_labels(self, gate: Finished) -> None:
        page = Shown((gate.out / "rationales.html").read_text(encoding="utf-8"))
        assert len(page.cards) == 50
        for card, text in zip(page.cards, page.texts[1:], strict=True):
            (label,) = {pair.target for pair in CORPUS.test if pair.source == text}
            for said in (f"gold {label}", "predicted ", "native "):
                assert said in card


def finite(tree: Any) -> bool:
    """Whether every number in it is one."""
    if isinstance(tree, dict):
        return all(map(finite, tree.values()))
    if isinstance(tree, list | tuple):
        return all(map(finite, tree))
    return not isinstance(tree, float) or math.isfinite(tree)


def without_clocks(tree: Any) -> Any:
    """The same without what a clock has measured."""
    if isinstance(tree, dict):
        clocks = "seconds", "training_seconds"
        return {name: without_clocks(each) for name, each in tree.items() if name not in clocks}
    return [without_clocks(each) for each in tree] if isinstance(tree, list) else tree


class TestResults:
    def test_they_are_what_is_returned_and_finite(self, gate: Finished, bias: Finished) -> None:
        for finished in (gate, bias):
            returned = rlattn.experiments.outputs.as_json(finished.results, "results")
            assert finished.json("results.json") == returned
            assert finite(returned)

    def test_methods_are_compared_on_all_test_texts(self, gate: Finished) -> None:
        results = gate.json("results.json")
        assert results["test_texts"] == len(TEXTS)
        assert results["env_steps"] == 2048
        assert 0 < results["training_seconds"] < results["seconds"]
        for method in METHODS:
            row = results[method]
            for name in ("accuracy", "macro_f1", "log_likelihood", "reads_fraction"):
                low, high = row[f"{name}_interval"]
                assert low - 1e-9 <= row[name] <= high + 1e-9
            assert ("mcnemar" in row) == (method != "native")

    def test_native_is_the_host_as_it_is(self, gate: Finished, host: ClassifierHost[Any]) -> None:
        read = classify_texts(host, TEXTS, max_source=ROOM)
        native = gate.results["native"]
        assert native["accuracy"] == pytest.approx(accuracy(read.labels))
        assert native["accuracy"] > 90
        assert native["reads_fraction"] == 1

    @pytest.mark.parametrize("action", ["gate", "bias"])
    def test_the_policy_in_the_folder_does_what_is_reported(
        self, action: str, request: pytest.FixtureRequest, host: ClassifierHost[Any]
    ) -> None:
        finished: Finished = request.getfixturevalue(action)
        policy = rlattn.load(finished.out / "policy")
        assert policy.host_fingerprint == host.fingerprint
        read = policy.classify(TEXTS, host)
        assert finished.results["policy"]["accuracy"] == pytest.approx(accuracy(read.labels))
        reads = float(np.mean(read.reads_fraction))
        assert finished.results["policy"]["reads_fraction"] == pytest.approx(reads)

    def test_the_policy_finds_its_host_by_itself(
        self,
        gate: Finished,
        host: ClassifierHost[Any],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        policy = rlattn.load(gate.out / "policy")
        alone, given = policy.classify(TEXTS), policy.classify(TEXTS, host)
        assert (alone.labels, alone.opened) == (given.labels, given.opened)

    def test_the_gate_learned_to_open_the_word_that_tells(self, gate: Finished) -> None:
        valid = gate.results["valid"]
        assert valid["curve"][0]["accuracy"] < valid["kept"]["accuracy"]
        assert gate.results["policy"]["reads_fraction"] < 0.5
        assert gate.results["policy"]["accuracy"] > gate.results["random"]["accuracy"] + 10

    def test_rules_read_as_much_as_the_policy(self, gate: Finished) -> None:
        policy, *rules = (gate.results[name]["reads_fraction"] for name in METHODS[1:])
        for reads in rules:
            assert policy - 1e-6 <= reads < policy + 0.1

    def test_rationales_are_compared_with_others_of_their_size(self, gate: Finished) -> None:
        explanations = gate.json("results.json")["explanations"]
        assert tuple(explanations) == EXPLANATIONS
        for row in explanations.values():
            for name in ("comprehensiveness", "sufficiency"):
                low, high = row[f"{name}_interval"]
                assert low <= row[name] <= high
        policy, chance = explanations["policy"], explanations["random"]
        assert policy["comprehensiveness"] > chance["comprehensiveness"]
        assert policy["sufficiency"] < chance["sufficiency"]

    def test_the_best_on_validation_is_kept(self, gate: Finished) -> None:
        valid = gate.json("results.json")["valid"]
        assert [point["env_steps"] for point in valid["curve"]] == [0, 1024, 2048]
        assert valid["kept"] == max(valid["curve"], key=lambda point: point["score"])

    def test_a_bias_reads_everything_and_has_no_rationales(self, bias: Finished) -> None:
        assert bias.json("config.json")["objective_resolved"] == {
            "weights": {"final:probability": 1.0},
            "reads_target": None,
        }
        assert bias.results["policy"]["reads_fraction"] == 1
        assert bias.results["explanations"] == {}
        assert not {"topk", "random"} & set(bias.results)
        assert "comprehensiveness" not in bias.printed

    def test_tables_are_printed(self, gate: Finished) -> None:
        labels, explanations = gate.printed.split("comprehensiveness")
        rows = {line.split()[0]: line.split()[1:] for line in labels.splitlines() if line.split()}
        for method in METHODS:
            assert f"{gate.results[method]['accuracy']:.1f}" in rows[method]
        for name in EXPLANATIONS:
            assert re.search(f"(?m)^{name} ", explanations)
        assert f"results go to {gate.out}\n" in gate.printed

    def test_the_same_seed_gives_the_same_numbers(self, gate: Finished, tmp_path: Path) -> None:
        again = finish(replace(gate.config, out=tmp_path))
        assert without_clocks(again.results) == without_clocks(gate.results)
        for name in ("policy/policy.safetensors", "rationales.html", "report.txt"):
            assert (again.out / name).read_bytes() == (gate.out / name).read_bytes()


def accuracy(labels: list[str]) -> float:
    return 100 * float(np.mean([a == b for a, b in zip(labels, GOLD, strict=True)]))


class TestTruncation:
    def test_the_limit_of_the_host_is_the_limit_of_the_run(
        self, cramped: Finished, host: ClassifierHost[Any]
    ) -> None:
        assert host.max_source is not None
        assert cramped.json("config.json")["max_source"] == host.max_source < 64

    def test_what_the_host_cannot_take_is_cut_counted_and_reported(
        self, cramped: Finished, host: ClassifierHost[Any]
    ) -> None:
        for split in ("training", "test"):
            count = cramped.results[f"truncated_{split}_texts"]
            assert count > 0
            line = f"{count} {split} texts were longer than {host.max_source} tokens and were cut"
            assert line in cramped.printed.splitlines()


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["ppo_classify", *map(str, arguments)])
    ppo_classify.main()


def test_without_a_corpus_a_host_is_trained_on_the_embedded_one_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def few(name: str) -> ParallelCorpus:
        corpus = load_corpus(name)
        sizes = {"train": 400, "valid": 20, "test": 20}
        return replace(corpus, **{name: getattr(corpus, name)[:n] for name, n in sizes.items()})

    monkeypatch.setattr(classification, "load_corpus", few)
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    given = ["--host", "builtin:3steps", "--steps", "64", "--lanes", "4", "--validations", "1"]
    call(monkeypatch, *given)
    (out,) = (tmp_path / "runs").iterdir()
    assert out.name.startswith("classify-20")
    (kept,) = (tmp_path / "cache").iterdir()
    card = json.loads((out / "policy" / "policy.json").read_text())
    assert card["host"]["name"] == str(kept)
    assert card["training"]["command"][-len(given) :] == given
    assert card["training"]["corpus"] == "kinds:en"
    config = json.loads((out / "config.json").read_text())
    assert config["objective_resolved"] == {
        "weights": {"final:probability": 1.0},
        "reads_target": 0.3,
    }
    assert (config["gamma"], config["ppo"]["gamma"]) == (None, 0.98)
    printed = capsys.readouterr()
    assert re.search("(?m)^host .* on kinds:en: accuracy ", printed.out)
    assert "error" not in printed.err


class Refusal(NamedTuple):
    """What is given, with names of what is in `given`, and what the answer must say."""

    arguments: str
    answer: str


FILES = {
    "one_label.tsv": "".join(f"ba {n}\tglad\n" for n in range(50)).encode(),
    "other_label.tsv": b"ba joy\tglad\nba be\tangry\n",
    "other_labels.tsv": "".join(f"ba {n}\t{'ab'[n % 2]}\n" for n in range(50)).encode(),
    "one_text.tsv": b"ba\tglad\n",
    "empty.tsv": b"",
    "blank.tsv": b"\n \n\t\n",
    "no_text.tsv": b"ba\tglad\n \tsad\n",
    "no_label.tsv": b"ba\tglad\nbe\t\n",
    "no_rows.csv": b"text,label\n , \n",
    "no_tab.tsv": b"ba be\n",
    "latin.tsv": b"ba\tglad\nbe \xe4\tsad\n",
    "header.csv": b"text,mood\nba,glad\n",
    "text.pdf": b"ba\tglad\n",
}
REFUSALS = {
    "unknown label in the test split": Refusal(
        "{task} --test {other_label.tsv}",
        "1 of 2 test texts have labels that no training text has: 'angry'; known are 'glad', 'sad'",
    ),
    "unknown label in the validation split": Refusal(
        "{task} --valid {other_label.tsv}", "1 of 2 validation texts have labels that no training"
    ),
    "one label": Refusal("--train {one_label.tsv}", "training texts have the label 'glad'"),
    "one text": Refusal("--train {one_text.tsv}", "no pair is left for the train split"),
    "empty file": Refusal("--train {empty.tsv}", "empty.tsv: the file is empty"),
    "blank file": Refusal("--train {blank.tsv}", "blank.tsv: the file is empty"),
    "empty text": Refusal(
        "--train {no_text.tsv}", "no_text.tsv, line 2: there is a label but the text is empty"
    ),
    "empty label": Refusal(
        "--train {no_label.tsv}", "no_label.tsv, line 2: there is a text but the label is empty"
    ),
    "rows of nothing": Refusal("--train {no_rows.csv}", "there is no text with a label in it"),
    "not TSV": Refusal("--train {no_tab.tsv}", "line 1: 0 tabs; expected exactly one"),
    "not UTF-8": Refusal("--train {latin.tsv}", r"latin.tsv, line 2: .*not UTF-8"),
    "missing file": Refusal("--train {nowhere}/x.tsv", "nowhere/x.tsv: there is no such file"),
    "a folder": Refusal("--train {folder.tsv}", "folder.tsv: this is a folder"),
    "unknown ending": Refusal("--train {text.pdf}", "text.pdf: expected a name that ends in .tsv"),
    "missing column": Refusal(
        "--train {header.csv}", "header.csv, line 1: no column label; there is text, mood; name"
    ),
    "column that is not there": Refusal(
        "--train {header.csv} --label-column feeling", "no column feeling; there is text, mood"
    ),
    "validation alone": Refusal(
        "--valid {one_text.tsv}", "texts without training texts: give --train, too"
    ),
    "test alone": Refusal("--test {one_text.tsv}", "without training texts: give --train, too"),
    "column of a corpus": Refusal("--text-column text", "--text-column and --label-column go with"),
    "translations": Refusal("--corpus locale:en-de", "more than 1,000 targets"),
    "unknown corpus": Refusal("--corpus imdb", "unknown corpus 'imdb'; expected locale:"),
    "unknown data set": Refusal("--corpus hub:no/data#text,label", "hub:no/data"),
    "unknown host": Refusal("{task} --host no-one/no-host", "no-one/no-host: neither"),
    "host without config": Refusal("{task} --host {folder.tsv}", "a folder with a config.json in"),
    "host is a translator": Refusal("{task} --host {translator}", "translator: .*can be loaded"),
    "host without a head": Refusal("{task} --host {encoder}", "weights are missing, such as clas"),
    "host with other labels": Refusal(
        "{task} --host {classifier}",
        "a text has the label 'glad', and host .*classifier tells apart bad, fair, good: give",
    ),
    "host for other labels": Refusal(
        "--train {other_labels.tsv} --host {host}", "label 'a', and host .* tells apart glad, sad"
    ),
    "host with nameless labels": Refusal(
        "{task} --host {nameless}", "it has 3 outputs and was given 2 labels"
    ),
    "no budget": Refusal("{task} --host builtin:long", "expected a budget such as builtin:300step"),
    "unknown reward": Refusal("--reward fame=1", "unknown reward 'fame': expected one of"),
    "malformed reward": Refusal("--reward gain", "'gain' should be name=weight"),
    "malformed weight": Refusal("--reward reads=little", "should have a finite number"),
    "two targets": Refusal("--reward reads=target:0.4 --reads-target 0.3", "say the same"),
    "unknown action": Refusal("--action stare", "unknown action 'stare': expected one of bias"),
    "action for layers": Refusal(
        "{task} --host {host} --action per-layer:gate", "has no cross-attention"
    ),
    "no steps": Refusal("--steps 0", "--steps 0: expected at least 1"),
    "no allocations": Refusal("--allocations 0", "--allocations 0: expected at least 1"),
    "no lanes": Refusal("--lanes 0", "--lanes 0: expected at least 1"),
    "no tokens": Refusal("--max-source 0", "--max-source 0: expected at least 1"),
    "no validation": Refusal("--validations 0", "--validations 0: expected at least 1"),
    "no validation texts": Refusal("--valid-texts 0", "--valid-texts 0: expected at least 1"),
    "no learning": Refusal("--learning-rate 0", "--learning-rate 0.0: expected a number above 0"),
    "wrong discount": Refusal("--gamma 2", "--gamma 2.0: expected a number from 0 to 1"),
    "negative seed": Refusal("--seed -1", "--seed -1: expected a number from 0"),
    "no reads": Refusal("--reads-target 0", r"reads target 0.0: expected a fraction in \(0, 1\]"),
    "too many reads": Refusal("--reads-target 2", r"expected a fraction in \(0, 1\]"),
    "no device": Refusal("--device abacus", "--device abacus: not available here; try cpu"),
    "unknown module": Refusal("--imports no_rewards", "--imports no_rewards: No module named"),
    "out is taken": Refusal("--out {held}", "held already holds files, and they are kept"),
    "out is a file": Refusal("--out {text.pdf}", "text.pdf is a file"),
}


@pytest.fixture(scope="module")
def given(moods: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Bad and good things by the names that are used in `REFUSALS`."""
    folder = tmp_path_factory.mktemp("given")
    task = " ".join(f"--{split} {moods[split]}" for split in ("train", "valid", "test"))
    names = {"task": task, "host": moods["host"], "nowhere": str(folder / "nowhere")}
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
        names[name] = str(folder / name)
    for name in ("folder.tsv", "held"):
        (folder / name).mkdir()
        names[name] = str(folder / name)
    (folder / "held" / "results.json").write_text("{}")
    names["translator"] = str(save(tiny_host(), folder / "translator"))
    nameless = small_classifier().model
    nameless.config.id2label = {number: f"LABEL_{number}" for number in range(3)}
    models = {
        "classifier": small_classifier().model,
        "encoder": small_encoder(),
        "nameless": nameless,
    }
    for name, model in models.items():
        model.save_pretrained(folder / name)
        small_tokenizer().save_pretrained(folder / name)
        names[name] = str(folder / name)
    return names


@pytest.fixture
def refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Calls the program, sees that it refuses as it should, and returns what it says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))

    def calls(*arguments: object) -> str:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, "--out", tmp_path / "made" / "out", *arguments)
        assert end.value.code == 2
        assert list(tmp_path.iterdir()) == []
        said = capsys.readouterr()
        assert said.out == ""
        assert re.fullmatch("error: [^\n]+\n", said.err)
        return said.err

    return calls


class TestBadInput:
    @pytest.mark.parametrize("case", REFUSALS)
    def test_it_is_one_line_and_nothing_is_made(
        self, case: str, given: dict[str, str], refused: Callable[..., str]
    ) -> None:
        # Names hold dots, which `str.format` would take for attributes.
        arguments = re.sub(r"{([^}]+)}", lambda name: given[name[1]], REFUSALS[case].arguments)
        assert re.search(REFUSALS[case].answer, refused(*arguments.split()))

    def test_a_finished_run_is_kept_as_it_is(
        self, gate: Finished, refused: Callable[..., str]
    ) -> None:
        before = {path: path.stat().st_mtime_ns for path in gate.out.rglob("*")}
        assert "already holds files" in refused("--out", gate.out)
        assert {path: path.stat().st_mtime_ns for path in gate.out.rglob("*")} == before

    def test_rows_of_nothing_between_others_are_no_mistake(
        self, moods: dict[str, Any], tmp_path: Path
    ) -> None:
        lines = moods["train"].read_text(encoding="utf-8").splitlines()
        (tmp_path / "gaps.tsv").write_text("\n \t \n\n".join(lines), encoding="utf-8")
        gaps = Config(**{**moods, "train": tmp_path / "gaps.tsv"})
        found, plain = map(classification.find_corpus, (gaps, Config(**moods)))
        assert found.fingerprint == plain.fingerprint

    @pytest.mark.parametrize("option", ["--steps=many", "--stop=perhaps", "--nonsense"])
    def test_what_does_not_parse_exits_with_2_also(
        self, option: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, option)
        assert end.value.code == 2
        assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_says_one_line(moods: dict[str, Any], tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "rlattn.experiments.ppo_classify"),
            *("--train", moods["train"], "--host", "no-one/no-host"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root, "COLUMNS": "40"},
    )
    assert ended.returncode == 2
    assert re.fullmatch("error: classifier no-one/no-host: [^\n]+\n", ended.stderr)
    assert ended.stdout == ""
    assert list(tmp_path.iterdir()) == []


class TestHelp:
    @pytest.fixture
    def text(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> list[str]:
        monkeypatch.setenv("COLUMNS", "1000")
        with pytest.raises(SystemExit) as end:
            call(monkeypatch, "--help")
        assert end.value.code == 0
        return [line.strip("│ \n") for line in capsys.readouterr().out.splitlines()]

    def test_every_option_is_explained(self, text: list[str]) -> None:
        page = "\n".join(text)
        for field in fields(Config):
            option = f"--{field.name.replace('_', '-')}"
            assert re.search(rf"^{option}\b.*\s+[A-Z`].*\.", page, re.MULTILINE)

    def test_it_says_how_to_call_it(self, text: list[str]) -> None:
        assert text[0].startswith("usage: python -m rlattn.experiments.ppo_classify ")

    def test_it_names_every_reward_of_a_label_and_every_action(self, text: list[str]) -> None:
        page = " ".join(text)
        terms = {name: make_reward(name) for name in REWARDS}
        ours = {
            name: term for name, term in terms.items() if type(term).__module__[:7] == "rlattn."
        }
        of_labels = [name for name, term in ours.items() if term.needs - {"text"}]
        # Scores of texts say nothing of labels, and no label is written token by token; attention
        # has no layers that could differ.
        others = {*WRAPPERS} - {"spread"} | {*FAMILIES} - {"per-layer"}
        for name in (*of_labels, "reads", "constant", *others):
            assert re.search(rf"\b{name}\b", page), name

    def test_no_sentence_is_broken(self, text: list[str]) -> None:
        """Each line starts an option or is its only explanation."""
        start = next(i for i, line in enumerate(text) if line.startswith("-h"))
        lines = [line for line in text[start:] if line.strip("╰─╯-")]
        for before, line in pairwise(lines):
            assert line.startswith("-") or before.startswith("-")

    def test_it_does_not_speak_python(self, text: list[str]) -> None:
        assert "None" not in " ".join(text)
