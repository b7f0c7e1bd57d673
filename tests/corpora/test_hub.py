"""Hugging Face data sets, from local copies."""

from __future__ import annotations

import json
import sys

import pytest

from rlattn.corpora import Pair, load_corpus
from rlattn.errors import InputError

PAIRS = [Pair(f"Satz {number}", f"sentence {number}") for number in range(60)]


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    library = pytest.importorskip("datasets", reason="needs the extra: pip install 'rlattn[hub]'")
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return library


def translation_rows(pairs):
    return [
        {"id": str(n), "translation": {"de": p.source, "en": p.target}} for n, p in enumerate(pairs)
    ]


def column_rows(pairs):
    return [{"de": pair.source, "en": pair.target} for pair in pairs]


@pytest.mark.parametrize("rows", [translation_rows, column_rows])
def test_a_folder_of_json_files(tmp_path, datasets, rows):
    folder = tmp_path / "data"
    folder.mkdir()
    for split, pairs in {
        "train": PAIRS[:40],
        "validation": PAIRS[30:50],
        "test": PAIRS[50:],
    }.items():
        lines = "".join(json.dumps(row) + "\n" for row in rows(pairs))
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    corpus = load_corpus(f"hub:{folder}#de-en")
    assert list(corpus.train) == PAIRS[:30]
    assert list(corpus.valid) == PAIRS[30:50]
    assert list(corpus.test) == PAIRS[50:]
    assert corpus.dropped == 10
    assert corpus.name == f"hub:{folder}#de-en"


def test_the_columns_give_the_direction(tmp_path, datasets):
    datasets.Dataset.from_list(translation_rows(PAIRS)).to_parquet(tmp_path / "d" / "train.parquet")
    corpus = load_corpus(f"hub:{tmp_path / 'd'}#en-de")
    assert Pair("sentence 7", "Satz 7") in {*corpus.train, *corpus.valid, *corpus.test}


def test_a_saved_data_set_without_splits_is_split(tmp_path, datasets):
    datasets.Dataset.from_list(column_rows(PAIRS)).save_to_disk(tmp_path / "saved")
    corpus = load_corpus(f"hub:{tmp_path / 'saved'}#de-en", train_size=5)
    assert len(corpus.train) == 5
    assert corpus.valid
    assert corpus.test


def test_a_saved_dictionary_of_splits(tmp_path, datasets):
    splits = {"train": PAIRS[:50], "dev": PAIRS[50:]}
    datasets.DatasetDict(
        {split: datasets.Dataset.from_list(column_rows(pairs)) for split, pairs in splits.items()}
    ).save_to_disk(tmp_path / "saved")
    corpus = load_corpus(f"hub:{tmp_path / 'saved'}#de-en")
    assert list(corpus.valid) == PAIRS[50:]
    assert len(corpus.train) + len(corpus.test) == 50


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (translation_rows(PAIRS), "no languages de and fr; there is de, en"),
        (column_rows(PAIRS), "no columns de and fr; there is de, en"),
    ],
)
def test_columns_that_are_not_there(tmp_path, datasets, rows, message):
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    with pytest.raises(InputError, match=message):
        load_corpus(f"hub:{tmp_path / 'saved'}#de-fr")


def test_a_missing_text_is_an_error_with_its_row(tmp_path, datasets):
    rows = column_rows(PAIRS)
    rows[3]["en"] = None
    datasets.Dataset.from_list(rows).save_to_disk(tmp_path / "saved")
    with pytest.raises(InputError, match="split train, row 4: there is a source but the target"):
        load_corpus(f"hub:{tmp_path / 'saved'}#de-en")


def test_a_data_set_needs_a_train_split(tmp_path, datasets):
    only = datasets.DatasetDict({"all": datasets.Dataset.from_list(column_rows(PAIRS))})
    only.save_to_disk(tmp_path / "saved")
    with pytest.raises(InputError, match="no train split; there is all"):
        load_corpus(f"hub:{tmp_path / 'saved'}#de-en")


def test_a_data_set_that_cannot_be_loaded(tmp_path, datasets):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be loaded: ") as caught:
        load_corpus(f"hub:{tmp_path / 'empty'}#de-en")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["opus_books", "opus_books#de", "#de-en", "opus_books#de-en-fr"])
def test_names_of_another_form(name):
    with pytest.raises(InputError, match=r"expected hub:DATA\[:CONFIG\]#SOURCE-TARGET"):
        load_corpus(f"hub:{name}")


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"pip install 'rlattn\[hub\]'"):
        load_corpus("hub:opus_books:de-en#de-en")
