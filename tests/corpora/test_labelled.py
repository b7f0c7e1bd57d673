"""Labelled text from files: the ways of writing the same, and of getting it wrong."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from rlattn.corpora import Pair, labels_of, load_corpus, read_labelled, read_parallel
from rlattn.errors import InputError

PAIRS = [Pair(f'text {n}, "so" they say', ("bad", "good")[n % 2]) for n in range(100)]


def write_csv(path, pairs=PAIRS, names=("text", "label")):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *pairs])
    return path


def write_json(path, pairs=PAIRS, names=("text", "label")):
    rows = [dict(zip(names, pair, strict=True)) for pair in pairs]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_tabs(path, pairs=PAIRS, names=()):
    rows = [names, *pairs] if names else pairs
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


FORMS = {".csv": write_csv, ".jsonl": write_json, ".tsv": write_tabs, ".txt": write_tabs}


@pytest.fixture
def expected(tmp_path):
    return read_parallel(write_tabs(tmp_path / "expected.tsv")).fingerprint


@pytest.mark.parametrize("ending", FORMS)
def test_any_form_plain_or_gzipped_is_the_same_corpus(tmp_path, ending, expected):
    path = FORMS[ending](tmp_path / f"reviews{ending}")
    zipped = tmp_path / f"reviews{ending}.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    for file in (path, str(path), zipped):
        corpus = read_labelled(file)
        assert corpus.fingerprint == expected
        assert labels_of(corpus) == ("bad", "good")
    assert corpus.name == f"files:reviews{ending}.gz"


@pytest.mark.parametrize("ending", FORMS)
def test_columns_can_be_named(tmp_path, ending, expected):
    rows = [("x", *pair[::-1]) for pair in PAIRS]
    path = FORMS[ending](tmp_path / f"reviews{ending}", rows, ("text", "stars", "what is said"))
    assert read_labelled(path, text="what is said", label="stars").fingerprint == expected


@pytest.mark.parametrize("family", ["csv", "jsonl"])
def test_by_name(tmp_path, family, expected):
    write = FORMS[f".{family}"]
    plain, named = tmp_path / f"plain.{family}", tmp_path / f"named.{family}"
    write(plain), write(named, names=("review", "stars"))
    assert load_corpus(f"{family}:{plain}").fingerprint == expected
    assert load_corpus(f"{family}:{named}#review,stars").fingerprint == expected
    assert len(load_corpus(f"{family}:{plain}", train_size=7).train) == 7
    for name in (f"{named}#review", f"{named}#a,b,c", f"{named}#", f"{named}.zip", "named"):
        with pytest.raises(InputError, match=rf"expected {family}:FILE\[#TEXT,LABEL\], where"):
            load_corpus(f"{family}:{name}")


@pytest.mark.parametrize("write", [write_csv, write_json])
def test_sentences_are_texts_where_there_is_no_column_text(tmp_path, write, expected):
    ending = next(ending for ending, form in FORMS.items() if form is write)
    path = write(tmp_path / f"reviews{ending}", names=("sentence", "label"))
    assert read_labelled(path).fingerprint == expected


def test_splits_can_be_of_different_forms_and_train_gives_way_to_them(tmp_path):
    train = write_csv(tmp_path / "train.csv")
    valid = write_json(tmp_path / "valid.jsonl", PAIRS[:20])
    test = write_tabs(tmp_path / "test.tsv", PAIRS[10:30])
    corpus = read_labelled(train, valid, test, train_size=50)
    assert list(corpus.test) == PAIRS[10:30]
    assert list(corpus.valid) == PAIRS[:10]
    assert list(corpus.train) == PAIRS[30:80]
    assert corpus.dropped == 30


def test_numbers_and_truth_values_in_json_are_labels_as_text(tmp_path):
    rows = [(f"text {n}", label) for n, label in enumerate([-1, 10, 2, True, "so"] * 9)]
    corpus = read_labelled(write_json(tmp_path / "a.jsonl", rows))
    assert labels_of(corpus) == ("-1", "2", "10", "so", "true")


def test_a_cell_in_quotes_can_have_lines_and_blank_rows_say_nothing(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{n},b\n" for n in range(50))
    path.write_text(f'\ufefftext, label\r\n"two\r\nlines, a comma", a \n\n , \n{rows}', "utf-8")
    corpus = read_labelled(path)
    assert Pair("two\nlines, a comma", "a") in {*corpus.train, *corpus.valid, *corpus.test}
    assert len(corpus.train) + len(corpus.valid) + len(corpus.test) == 51


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,stars\nx,y\n", "line 1: no column label; there is text, stars; name the"),
        ("a.csv", "x,label\nx,y\n", "line 1: no column text or sentence; there is x, label; name"),
        ("a.csv", "text,text,label\nx,y,z\n", "line 1: two columns text or sentence; there is"),
        ("a.csv", "text,label\nx,y\nx, y, z\n", "line 3: 3 columns; expected 2, as the header has"),
        ("a.csv", 'text,label\n"x\nx",y\nz\n', "line 4: 1 columns; expected 2, as the header has"),
        ("a.csv", 'text,label\n"x"x,y\n', "line 2: not CSV: ',' expected after '\"'; a cell with"),
        ("a.csv", 'text,label\nx,y\n"x,y\nx,y\n', "line 3: not CSV: unexpected end of data; a"),
        ("a.csv", "text,label\nx,y\n ,y\n", "line 3: there is a label but the text is empty; giv"),
        ("a.csv", 'text,label\n"x\n",\n', "line 2: there is a text but the label is empty; give"),
        ("a.csv", "text,label\n", "there is no text with a label in it"),
        ("a.csv", ",\n,\n", "line 1: no column text or sentence; there is ; name the one column"),
        ("a.csv", "\n", "the file is empty"),
        ("a.csv", b"text,label\nsch\xf6n,y\n", "line 2: byte 14 (0xf6) is not UTF-8; convert the"),
        ("a.csv.gz", "text,label\n", "not a whole gzip file"),
        ("a.jsonl", '{"text": "x", "label": "y"}\n{"text": "x"\n', "line 2: not JSON: Expecting"),
        ("a.jsonl", '["x", "y"]\n', "line 1: not a JSON object; expected one such as {"),
        ("a.jsonl", "[" * 100_000, "line 1: not JSON: "),
        ("a.jsonl", '{"label": 1}', "line 1: no column text or sentence; there is label; name th"),
        ("a.jsonl", '{"text": "x"}', "line 1: no column label; there is text; name the one column"),
        ("a.jsonl", '\n{"text": "x", "label": null}', "line 2: there is a text but the label is e"),
        ("a.jsonl", '{"text": 1, "label": 1}', "line 1: the text is 1; expected text, in quotes"),
        ("a.jsonl", '{"text": "x", "label": 0.5}', "line 1: the label is 0.5; expected text, a wh"),
        ("a.jsonl", '{"text": "x", "label": ["a"]}', "line 1: the label is ['a']; expected text,"),
        ("a.jsonl", '{"text": "x \\ud83d", "label": 1}', "line 1: '\\ud83d' is half a character"),
        ("a.tsv", "text\tlabel\nx\ty\n", "line 1: this is a header; say so by naming its columns"),
        ("a.tsv", "x\ty\nx\n", "line 2: 0 tabs; expected exactly one, between text and label"),
        ("a.txt", "x\ty\n\t y\n", "line 2: there is a label but the text is empty; give both or"),
        ("a.json", "", "expected a name that ends in .tsv, .txt, .csv, .jsonl, or one of these"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_labelled(path)
    told = str(caught.value)
    assert told.startswith((f"{path}, {message}", f"{path}: {message}"))
    assert "\n" not in told


def test_a_row_of_tabs_has_as_many_columns_as_its_header(tmp_path):
    path = write_tabs(tmp_path / "a.tsv", [("x", "y", "z")], ("sentence", "label"))
    with pytest.raises(InputError, match=r"line 2: 3 columns; expected 2, as the header has"):
        read_labelled(path, text="sentence")


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read_labelled(tmp_path / "none.csv")
