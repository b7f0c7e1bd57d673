"""A host is found by name, or refused with one line that says why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers

from rlattn.corpora import load_corpus
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost, load_host, loading
from rlattn.hosts.card import read_card
from tests.hosts.tiny import generate, save, sentences, tiny_host


@pytest.fixture
def folder(host: Seq2SeqHost, tmp_path: Path) -> Path:
    return save(host, tmp_path / "host")


def test_a_saved_host_comes_back(each_host: Seq2SeqHost, tmp_path: Path) -> None:
    loaded = load_host(save(each_host, tmp_path / "host"))
    assert loaded.fingerprint == each_host.fingerprint
    assert loaded.name == str(tmp_path / "host")
    assert generate(loaded, sentences(5)) == generate(each_host, sentences(5))


def test_a_host_is_loaded_in_single_precision(tmp_path: Path) -> None:
    host = tiny_host()
    host.model.half()
    loaded = load_host(str(save(host, tmp_path)))
    assert {weight.dtype for weight in loaded.model.parameters()} == {torch.float32}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(InputError, match=r"^host no/such-model: neither a local folder nor a hub"):
        load_host("no/such-model")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected a folder with a config\.json"):
        load_host(tmp_path)


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host").write_text("hello")
    with pytest.raises(InputError, match=r"expected a folder with a config\.json"):
        load_host(tmp_path / "host")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["cut", "garbled", "missing"])
def test_a_damaged_folder_is_refused_in_one_line(folder: Path, file: str, damage: str) -> None:
    content = (folder / file).read_bytes()
    if damage == "missing":
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content[: len(content) // 2] if damage == "cut" else b"{]")
    with pytest.raises(InputError, match=f"^host {folder}: [^\n]+$"):
        load_host(folder)


def test_weights_of_another_shape_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "d_model": 16}))
    with pytest.raises(InputError, match=f"^host {folder}: [^\n]+$"):
        load_host(folder)


def test_a_model_of_another_kind_is_refused(host: Seq2SeqHost, tmp_path: Path) -> None:
    config = transformers.GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=9)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    host.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=f"^host {tmp_path}: [^\n]+$"):
        load_host(tmp_path)


def test_the_built_in_host_is_trained_on_the_corpus_that_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RLATTN_CACHE", str(tmp_path))
    corpus = load_corpus("locale:en-de", train_size=50)
    host = load_host("builtin:2steps", corpus=lambda: corpus)
    assert Path(host.name).parent == tmp_path
    card = read_card(Path(host.name))
    assert card["training"]["steps"] == 2
    assert card["corpus"]["fingerprint"] == corpus.fingerprint
    again = load_host("builtin:2steps", corpus=lambda: corpus)
    assert again.name == host.name, "it is kept"
    assert load_host(host.name).fingerprint == host.fingerprint


@pytest.mark.parametrize("name", ["builtin:2", "builtin:1.5steps", "builtin:soon"])
def test_a_budget_is_steps_or_minutes(name: str) -> None:
    corpus = load_corpus("locale:en-de", train_size=50)
    with pytest.raises(InputError, match=r"such as builtin:300steps or builtin:5min"):
        load_host(name, corpus=lambda: corpus)


def test_words_win_over_folders(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("builtin", "embedded"):
        shutil.copytree(folder, tmp_path / name)
        assert load_host(f"./{name}").name == str(tmp_path / name)
        assert load_host(Path(name)).name == str(tmp_path / name)
    assert load_host("embedded").name == "embedded"
    with pytest.raises(InputError, match="is trained on a corpus, and none was given"):
        load_host("builtin")


@pytest.mark.parametrize("prefix", ["", "int8:"])
def test_a_folder_is_found_from_elsewhere(
    prefix: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "quantised", lambda host: host)
    monkeypatch.chdir(folder.parent)
    host = load_host(f"{prefix}{folder.name}")
    monkeypatch.chdir("/")
    assert load_host(host.name).fingerprint == host.fingerprint


def test_the_built_in_host_needs_a_corpus() -> None:
    with pytest.raises(InputError, match="is trained on a corpus, and none was given"):
        load_host("builtin")
