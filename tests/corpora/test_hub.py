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


@pytest.mark.parametrize(
    "name",
    ["opus_books", "opus_books#de", "#de-en", "opus_books#de-en-fr", "#text,label", "imdb#text,"],
)
def test_names_of_another_form(name):
    with pytest.raises(InputError, match=r"expected hub:DATA\[:CONFIG\]#SOURCE-TARGET"):
        load_corpus(f"hub:{name}")


def test_without_the_library_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"pip install 'rlattn\[hub\]'"):
        load_corpus("hub:opus_books:de-en#de-en")


TEXTS = [f"text {number}" for number in range(60)]


def save_labelled(datasets, folder, splits, kind):
    """Saves splits of labels beside as many of the texts, whose column of labels is of a kind."""
    features = datasets.Features({"what is-said": datasets.Value("string"), "label": kind})
    datasets.DatasetDict(
        {
            split: datasets.Dataset.from_dict(
                {"what is-said": TEXTS[start : start + len(labels)], "label": labels}, features
            )
            for split, (start, labels) in splits.items()
        }
    ).save_to_disk(folder)
    return f"hub:{folder}#what is-said,label"


@pytest.mark.parametrize(
    ("kind", "values", "labels"),
    [
        (lambda datasets: datasets.ClassLabel(names=["worse", "better"]), [0, 1], None),
        (lambda datasets: datasets.Value("string"), ["worse", "better"], None),
        (lambda datasets: datasets.Value("int64"), [-1, 10], ["-1", "10"]),
        (lambda datasets: datasets.Value("bool"), [False, True], ["false", "true"]),
    ],
)
def test_labels_are_names_of_classes_or_what_stands_there(tmp_path, datasets, kind, values, labels):
    splits = {"train": (0, values * 20), "validation": (40, values), "test": (42, values)}
    corpus = load_corpus(save_labelled(datasets, tmp_path / "saved", splits, kind(datasets)))
    expected = labels or ["worse", "better"]
    assert list(corpus.train) == list(map(Pair, TEXTS[:40], expected * 20))
    assert list(corpus.valid) == list(map(Pair, TEXTS[40:42], expected))
    assert list(corpus.test) == list(map(Pair, TEXTS[42:44], expected))


@pytest.mark.parametrize("nobody", [-1, None])
def test_a_split_without_labels_is_taken_out_of_the_training_texts(tmp_path, datasets, nobody):
    kind = datasets.ClassLabel(names=["worse", "better"])
    splits = {"train": (0, [0, 1] * 20), "test": (40, [nobody] * 5)}
    name = save_labelled(datasets, tmp_path / "saved", splits, kind)
    corpus = load_corpus(name)
    assert {pair.source for pair in (*corpus.train, *corpus.valid, *corpus.test)} == {*TEXTS[:40]}


def test_one_missing_label_is_an_error_with_its_row(tmp_path, datasets):
    kind = datasets.ClassLabel(names=["worse", "better"])
    name = save_labelled(datasets, tmp_path / "saved", {"train": (0, [0, 1, -1, 1])}, kind)
    with pytest.raises(InputError, match="row 3: there is a text but the label is empty"):
        load_corpus(name)


def test_labels_of_another_kind_and_columns_that_are_not_there(tmp_path, datasets):
    splits = {"train": (0, [0.5, 1.0])}
    name = save_labelled(datasets, tmp_path / "saved", splits, datasets.Value("float32"))
    with pytest.raises(InputError, match=r"row 1: the label is 0\.5; expected text, a whole"):
        load_corpus(name)
    with pytest.raises(InputError, match="split train: no column stars; there is what is-said, la"):
        load_corpus(f"hub:{tmp_path / 'saved'}#what is-said,stars")
