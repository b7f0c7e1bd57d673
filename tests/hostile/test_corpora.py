"""Whatever files hold and are called: the pairs that stand there, or one clear error."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rlattn
from rlattn.corpora import ParallelCorpus, load_corpus, read_labelled, read_parallel
from rlattn.corpora.labels import labels_of
from rlattn.errors import InputError
from rlattn.experiments.outputs import check_output
from rlattn.hosts import load_host
from rlattn.hosts.classifier import load_classifier
from tests.hostile.strategies import cases, digits, long_texts, texts, unicode_texts, values

ENDINGS = ("tsv", "txt", "csv", "jsonl")

cells = st.one_of(unicode_texts, st.sampled_from(["text", "label", "sentence"]), digits)
rows = st.lists(st.lists(cells, min_size=1, max_size=3), max_size=8)
tables = st.builds(
    lambda separator, end, rows: end.join(separator.join(row) for row in rows),
    st.sampled_from(["\t", ",", '","', " "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    rows,
)
objects = st.lists(
    st.dictionaries(
        st.sampled_from(["text", "label", "sentence", "other"]),
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
        max_size=3,
    ),
    max_size=6,
).map(lambda found: "\n".join(json.dumps(one) for one in found))
contents = st.one_of(
    tables.map(str.encode),
    objects.map(str.encode),
    st.builds(lambda table: b"text,label\n" + table.encode(), tables),
    st.binary(max_size=200),
    tables.map(lambda table: table.encode("utf-16")),
    tables.map(lambda table: gzip.compress(table.encode())),
    st.builds(lambda table, cut: gzip.compress(table.encode())[:cut], tables, st.integers(0, 40)),
    st.sampled_from([b"[" * 100_000, b'{"text": ' * 50_000, b'"' + b"a" * 200_000, b"9" * 100_000]),
)


def check_corpus(corpus: ParallelCorpus) -> None:
    splits = (corpus.train, corpus.valid, corpus.test)
    sources = [{" ".join(pair.source.split()) for pair in split} for split in splits]
    assert all(map(len, splits))
    assert len(set().union(*sources)) == sum(map(len, sources))
    for split in splits:
        for pair in split:
            assert pair.source == pair.source.strip() != ""
            assert pair.target == pair.target.strip() != ""
            f"{pair.source}{pair.target}".encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corpora")


@cases(48)
@given(contents, st.sampled_from(ENDINGS), st.booleans())
def test_labelled_text_of_any_content(
    folder: Path, content: bytes, ending: str, zipped: bool
) -> None:
    path = folder / (f"file.{ending}.gz" if zipped else f"file.{ending}")
    path.write_bytes(content)
    try:
        corpus = read_labelled(path)
        check_corpus(corpus)
        labels = labels_of(corpus)
    except InputError as error:
        assert path.name in str(error)  # noqa: PT017
        return
    assert len(set(labels)) == len(labels) >= 2


@cases(32)
@given(contents, contents, st.booleans())
def test_parallel_text_of_any_content(
    folder: Path, source: bytes, target: bytes, columns: bool
) -> None:
    paths = folder / "source", folder / "target"
    for path, content in zip(paths, (source, target), strict=True):
        path.write_bytes(content)
    try:
        check_corpus(read_parallel(paths[0] if columns else paths))
    except InputError as error:
        assert "corpora" in str(error) or "files:source" in str(error)  # noqa: PT017


plain = unicode_texts.map(lambda text: " ".join(text.split()).replace("\ufeff", ""))


@cases(16)
@given(st.lists(plain, min_size=4, max_size=12, unique=True), st.sampled_from(["tsv", "jsonl"]))
def test_what_is_written_is_read(folder: Path, given: list[str], ending: str) -> None:
    given = [text for text in given if text and text.split() == text.split(" ")]
    path = folder / f"whole.{ending}"
    if ending == "tsv":
        lines = [f"{text}\t{n % 2}" for n, text in enumerate(given)]
    else:
        lines = [json.dumps({"text": text, "label": n % 2}) for n, text in enumerate(given)]
    path.write_text("\n".join(lines), "utf-8", newline="\n")
    try:
        corpus = read_labelled(path)
    except InputError:
        assert len(set(given)) < 4 or given[0] in ("text", "sentence")
        return
    found = {(pair.source, pair.target) for split in (corpus.train, corpus.valid, corpus.test)
             for pair in split}  # fmt: skip
    assert found == {(text, str(n % 2)) for n, text in enumerate(given)}


@cases(3)
@given(long_texts)
def test_a_long_line_is_a_line(folder: Path, text: str) -> None:
    path = folder / "long.jsonl"
    whole = [{"text": f"{n} {text}", "label": n % 2} for n in range(6)]
    path.write_text("\n".join(map(json.dumps, whole)))
    check_corpus(read_labelled(path))


places = st.one_of(
    texts,
    values,
    st.sampled_from(["", ".", "/", "/dev/null", "\0", "a\0b", "\ud800", "a" * 300, "a" * 5000]),
    st.sampled_from(["int8:", "builtin:", "embedded ", "hub:a#b", "x/y", "x/y/z", "~", "a\nb"]),
)
families = st.sampled_from(["locale", "documents", "kinds", "noise", "tsv", "csv", "jsonl", "hub"])
corpus_names = st.one_of(
    places,
    st.builds(lambda family, place: f"{family}:{place}", families, places),
    st.builds("documents:en-de:{}-{}".format, digits, digits),
    st.sampled_from(["noise:" * 1000 + "locale:en-de", "locale:en-", "locale:../x-de", "csv:x#,"]),
)


@cases(24)
@given(corpus_names)
def test_a_corpus_of_any_name_is_found_or_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    monkeypatch.chdir(folder)
    try:
        corpus = load_corpus(name, train_size=20)
    except InputError:
        return
    assert corpus.train[0].source


@cases(16)
@given(st.sampled_from([rlattn.load, load_host, load_classifier, read_parallel]), places)
def test_nothing_is_found_under_a_made_up_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch, find: Any, name: Any
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError):
        find(name)


@cases(8)
@given(places)
def test_an_out_folder_can_be_named_or_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: Any
) -> None:
    monkeypatch.chdir(folder)
    try:
        assert isinstance(check_output(name), Path)
    except InputError:
        return
