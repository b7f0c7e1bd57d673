"""What the program is asked for is checked and completed before anything is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rlattn.corpora import ParallelCorpus, load_corpus, read_labelled
from rlattn.errors import InputError
from rlattn.experiments import classification
from rlattn.experiments.classification import (
    Config,
    check,
    choose_action,
    choose_objective,
    find_corpus,
    find_material,
)
from rlattn.hosts.classifier import ClassifierHost, load_classifier
from tests.hosts.classifier.labelled import CORPUS


class TestCheck:
    def test_the_out_folder_is_named_after_the_time(self) -> None:
        assert check(Config()).name.startswith("classify-20")

    @pytest.mark.parametrize(
        "name", ["allocations", "steps", "lanes", "max_source", "valid_texts", "validations"]
    )
    def test_numbers_out_of_range_are_named_by_their_option(self, name: str) -> None:
        with pytest.raises(InputError, match=rf"^--{name.replace('_', '-')} 0: expected"):
            check(Config(**{name: 0}))
        check(Config(**{name: 1}))


class TestObjective:
    @pytest.mark.parametrize("action", ["gate", "gate:4", "gate:sentence", "window"])
    def test_what_opens_as_much_as_it_likes_has_a_target_of_reads(self, action: str) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"final:probability": 1.0}
        assert objective.reads_target == 0.3

    @pytest.mark.parametrize("action", ["position", "topk:3", "topk:20%"])
    def test_what_can_only_stop_early_has_a_price_of_reads(self, action: str) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"final:probability": 1.0, "reads": -0.2}
        assert (objective.reads_target, objective.reads_weight) == (None, -0.2)
        asked = choose_objective(Config(action=action, reads_target=0.4))
        assert (asked.weights, asked.reads_target) == ({"final:probability": 1.0}, 0.4)

    @pytest.mark.parametrize("action", ["bias", "mix", "sharpness", "simplex"])
    def test_all_else_is_rewarded_for_the_label_alone(self, action: str) -> None:
        objective = choose_objective(Config(action=action))
        assert objective.weights == {"final:probability": 1.0}
        assert objective.reads_target is None

    def test_a_reward_that_is_given_stays_alone(self) -> None:
        objective = choose_objective(Config(reward=("brier=1", "reads=-0.5")))
        assert objective.weights == {"brier": 1.0, "reads": -0.5}
        assert objective.reads_target is None

    def test_a_target_can_be_given_with_and_without_a_reward(self) -> None:
        assert choose_objective(Config(reads_target=0.4)).reads_target == 0.4
        given = choose_objective(Config(reward=("brier=1",), reads_target=0.4))
        assert (given.weights, given.reads_target) == ({"brier": 1.0}, 0.4)
        among = choose_objective(Config(reward=("reads=target:0.4",)))
        assert among == choose_objective(Config(reads_target=0.4))

    def test_what_the_reads_weigh_in_the_end_chooses_the_policy(self) -> None:
        weights = {(): 0.0, ("gain=1",): 0.0, ("reads=-0.5",): -0.5, ("reads=0:-0.3:9",): -0.3}
        for reward, weight in weights.items():
            assert choose_objective(Config(reward=reward)).reads_weight == weight


class TestAction:
    def test_gates_are_of_sentences_where_a_part_is_asked_for(self, moods: dict[str, Any]) -> None:
        assert choose_action(Config()) == "gate:sentence"
        assert choose_action(Config(**moods)) == "gate"
        assert choose_action(Config(**moods, noise="behind")) == "gate:sentence"
        assert choose_action(Config(corpus="tsv:texts.tsv")) == "gate"

    def test_an_action_that_is_given_stays(self) -> None:
        assert choose_action(Config(action="window", noise="behind")) == "window"


class TestCorpus:
    def test_the_default_is_the_embedded_one(self) -> None:
        corpus = find_corpus(Config())
        assert corpus.name == "kinds:en"
        assert corpus.fingerprint == load_corpus("kinds:en").fingerprint

    def test_files_come_before_a_name(self, moods: dict[str, Any]) -> None:
        corpus = find_corpus(Config(**moods))
        files = [moods[split] for split in ("train", "valid", "test")]
        assert corpus.fingerprint == read_labelled(*files).fingerprint
        assert list(corpus.test) == CORPUS.test

    def test_splits_that_are_not_given_are_held_out(self, moods: dict[str, Any]) -> None:
        corpus = find_corpus(Config(train=moods["train"], test=moods["test"]))
        assert list(corpus.test) == CORPUS.test
        assert 1 <= len(corpus.valid) < len(corpus.train) < len(CORPUS.train)

    def test_columns_of_files_can_be_named(self, tmp_path: Path) -> None:
        rows = "".join(f"{n},ba {n},{n % 2}\n" for n in range(60))
        (tmp_path / "a.csv").write_text(f"number,review,stars\n{rows}", encoding="utf-8")
        named = Config(train=tmp_path / "a.csv", text_column="review", label_column="stars")
        corpus = find_corpus(Config(corpus=f"csv:{tmp_path / 'a.csv'}#review,stars"))
        assert find_corpus(named).fingerprint == corpus.fingerprint
        assert all(pair.source.startswith("ba ") for pair in corpus.train)


class TestHost:
    @pytest.fixture
    def asked(self, moods: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[ParallelCorpus]:
        """The corpora that a host is asked for with; none is trained."""
        corpora: list[ParallelCorpus] = []

        def load(name: str, corpus: Any, device: str) -> ClassifierHost[Any]:
            corpora.append(corpus())
            return load_classifier(moods["host"])

        monkeypatch.setattr(classification, "load_classifier", load)
        return corpora

    def test_a_folder_is_found_from_elsewhere(
        self, moods: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = Path(moods["host"])
        monkeypatch.chdir(folder.parent)
        _, host = find_material(Config(**{**moods, "host": folder.name}))
        assert host.name == str(folder.resolve())

    def test_a_host_is_trained_without_the_noise(
        self, moods: dict[str, Any], asked: list[ParallelCorpus]
    ) -> None:
        corpus, _ = find_material(Config(**moods, noise="behind"))
        (clean,) = asked
        assert list(clean.test) == CORPUS.test
        assert corpus.test[3].source.startswith(f"{clean.test[3].source} = ")
        assert corpus.test[3].target == clean.test[3].target

    def test_labels_that_do_not_fit_are_found_before_a_host_is_trained(
        self, moods: dict[str, Any], asked: list[ParallelCorpus], tmp_path: Path
    ) -> None:
        (tmp_path / "test.tsv").write_text("ba joy\tangry\n", encoding="utf-8")
        with pytest.raises(InputError, match="no training text has: 'angry'"):
            find_material(Config(**{**moods, "test": tmp_path / "test.tsv"}))
        assert asked == []
