"""The built-in classifier learns to label from parts, and is trained once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rlattn.errors import InputError
from rlattn.hosts.card import read_card
from rlattn.hosts.classifier import ClassifierConfig, SequenceClassifierHost, builtin
from rlattn.hosts.classifier.builtin import builtin_classifier, train_classifier
from rlattn.hosts.classifier.drops import opened_at_random
from tests.hosts.classifier.labelled import CORPUS, TELLING, TINY


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier")
    train_classifier(CORPUS, TINY, path, progress=False)
    return path


def test_the_folder_is_an_ordinary_hugging_face_folder(folder: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.id2label == {0: "glad", 1: "sad"}
    assert model.config.vocab_size == len(tokenizer) <= TINY.vocab_size
    host = SequenceClassifierHost(model, tokenizer)
    assert host.labels == ("glad", "sad")
    assert host.max_source == TINY.max_length - 1


def test_all_ways_of_steering_are_open_to_it(folder: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    host = SequenceClassifierHost(model, AutoTokenizer.from_pretrained(folder))
    assert host._found.encoder.first
    assert host._found.first_position == 0


def test_the_card_says_how_it_was_made(folder: Path) -> None:
    card = read_card(folder)
    assert card["corpus"] == {"name": "moods", "fingerprint": "0"}
    assert ClassifierConfig(**card["config"]) == TINY
    assert card["training"]["steps"] == TINY.max_steps
    assert (card["texts"], card["cut"]) == (400, 0)
    assert set(card["validation"]) == {"whole", "half"}


def test_it_takes_no_more_room_than_was_asked_for(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < TINY.bytes_on_disk


def test_it_learns_from_wholes_and_from_parts(tmp_path: Path) -> None:
    card = train_classifier(CORPUS, replace(TINY, max_steps=150), tmp_path, progress=False)
    assert card["validation"]["whole"] > 0.95
    # The telling word is open half of the time, and a guess is right half of the rest.
    assert 0.6 < card["validation"]["half"] < 0.95


def test_the_seed_decides_the_weights_and_the_callers_random_numbers_stay(
    folder: Path, tmp_path: Path
) -> None:
    def weights(path: Path) -> torch.Tensor:
        return torch.cat([t.flatten() for t in load_file(path / "model.safetensors").values()])

    before = torch.get_rng_state()
    train_classifier(CORPUS, TINY, tmp_path / "same", progress=False)
    train_classifier(CORPUS, replace(TINY, seed=1), tmp_path / "other", progress=False)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(weights(tmp_path / "same"), weights(folder))
    assert not torch.equal(weights(tmp_path / "other"), weights(folder))


def test_it_is_trained_once_for_each_corpus_and_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Any] = []
    monkeypatch.setattr(builtin, "train_classifier", lambda *given: trained.append(given))
    first = builtin_classifier(CORPUS, TINY, tmp_path)
    assert builtin_classifier(CORPUS, TINY, tmp_path) == first
    others = {
        builtin_classifier(CORPUS, replace(TINY, seed=1), tmp_path),
        builtin_classifier(replace(CORPUS, fingerprint="1"), TINY, tmp_path),
    }
    assert len({first, *others}) == len(trained) == 3


def test_long_texts_are_cut_and_counted(tmp_path: Path) -> None:
    long = replace(CORPUS, train=[*CORPUS.train, CORPUS.train[0]._replace(source="joy " * 99)])
    assert train_classifier(long, TINY, tmp_path, progress=False)["cut"] == 1


def test_one_label_is_not_enough(tmp_path: Path) -> None:
    happy = [pair for pair in CORPUS.train if pair.target == TELLING["joy"]]
    with pytest.raises(InputError, match=r"moods: all .* at least two labels"):
        train_classifier(replace(CORPUS, train=happy), TINY, tmp_path, progress=False)


def test_each_text_draws_its_own_share_to_shut() -> None:
    mask = torch.rand(400, 50) < 0.8
    opened = opened_at_random(mask, 0.6)
    assert not opened[~mask].any()
    shut = 1 - opened.sum(1) / mask.sum(1)
    assert shut.mean() == pytest.approx(0.3, abs=0.05)
    assert shut.std() > 0.15
    assert torch.equal(opened_at_random(mask, 0.0), mask)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_model": 30, "heads": 4}, "multiple of heads=4"),
        ({"shut": 1.0}, r"shut is 1.0; it must be in \[0, 1\)"),
        ({"max_steps": None, "max_minutes": None}, "never end"),
        ({"vocab_size": 100}, "at least 258"),
        ({"max_length": 5000}, "at most batch_tokens"),
        ({"layers": 0}, "a number above 0"),
    ],
)
def test_values_out_of_range_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ClassifierConfig(**changes)
