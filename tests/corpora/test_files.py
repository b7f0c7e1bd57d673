"""Parallel text from files: the ways of writing the same text, and of getting it wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rlattn.corpora import Pair, load_corpus, read_parallel
from rlattn.errors import InputError

SOURCES = [f"ein Satz {number}" for number in range(100)]
TARGETS = [f"a sentence {number}" for number in range(100)]


def write(path: Path, lines: list[str], end: str = "\n") -> Path:
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


@pytest.fixture
def plain(tmp_path) -> tuple[Path, Path]:
    return write(tmp_path / "text.de", SOURCES), write(tmp_path / "text.en", TARGETS)


def zipped(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    return target


def test_pairs_are_line_by_line_and_complete(plain):
    corpus = read_parallel(plain)
    pairs = {*corpus.train, *corpus.valid, *corpus.test}
    assert pairs == set(map(Pair, SOURCES, TARGETS))
    assert corpus.name == "files:text.de-text.en"
    assert corpus.dropped == 0


def test_given_splits_are_used_and_train_gives_way_to_them(tmp_path, plain):
    valid = write(tmp_path / "v.de", SOURCES[:3]), write(tmp_path / "v.en", TARGETS[:3])
    test = write(tmp_path / "t.de", SOURCES[2:5]), write(tmp_path / "t.en", TARGETS[2:5])
    corpus = read_parallel(plain, valid, test)
    assert list(corpus.test) == list(map(Pair, SOURCES[2:5], TARGETS[2:5]))
    assert list(corpus.valid) == list(map(Pair, SOURCES[:2], TARGETS[:2]))
    assert list(corpus.train) == list(map(Pair, SOURCES[5:], TARGETS[5:]))
    assert corpus.dropped == 5


def test_gzipped_files_are_the_same_corpus(plain):
    assert read_parallel(tuple(map(zipped, plain))).fingerprint == read_parallel(plain).fingerprint


def test_one_tab_separated_file_is_the_same_corpus(tmp_path, plain):
    rows = [f"{source}\t{target}" for source, target in zip(SOURCES, TARGETS, strict=True)]
    tsv = write(tmp_path / "text.tsv", rows)
    expected = read_parallel(plain).fingerprint
    assert read_parallel(tsv).fingerprint == expected
    assert read_parallel(zipped(tsv)).fingerprint == expected
    assert load_corpus(f"tsv:{tsv}").fingerprint == expected


def test_line_ends_byte_order_mark_and_trailing_blank_lines_do_not_matter(tmp_path, plain):
    source = write(tmp_path / "bom.de", ["\ufeff" + SOURCES[0], *SOURCES[1:]], end="\r\n")
    target = write(tmp_path / "blank.en", [*TARGETS, "", "  ", ""])
    assert read_parallel((source, target)).fingerprint == read_parallel(plain).fingerprint


def test_the_last_line_end_may_be_missing(tmp_path, plain):
    source = tmp_path / "end.de"
    source.write_text("\n".join(SOURCES), encoding="utf-8")
    assert read_parallel((source, plain[1])).fingerprint == read_parallel(plain).fingerprint


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\r"])
def test_only_line_feeds_end_a_line(tmp_path, plain, odd):
    source = write(tmp_path / "odd.de", [f"zwei{odd}Teile {line}" for line in SOURCES])
    corpus = read_parallel((source, plain[1]))
    assert all(odd in pair.source for pair in corpus.train)
    assert len(corpus.train) == len(read_parallel(plain).train)


def test_lines_that_are_empty_on_both_sides_are_skipped(tmp_path, plain):
    source = write(tmp_path / "gap.de", [*SOURCES[:50], "", *SOURCES[50:]])
    target = write(tmp_path / "gap.en", [*TARGETS[:50], " ", *TARGETS[50:]])
    assert read_parallel((source, target)).fingerprint == read_parallel(plain).fingerprint


def refuse(*files, **named) -> str:
    with pytest.raises(InputError) as caught:
        read_parallel(*files, **named)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_missing_file(tmp_path, plain):
    missing = tmp_path / "none.en"
    assert refuse((plain[0], missing)) == f"{missing}: there is no such file"


def test_a_folder(tmp_path, plain):
    assert refuse((tmp_path, plain[1])) == f"{tmp_path}: this is a folder; expected a text file"


def test_different_line_counts(tmp_path, plain):
    short = write(tmp_path / "short.en", TARGETS[:-1])
    message = refuse((plain[0], short))
    assert f"{plain[0]} has 100 lines but {short} has 99" in message


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file(tmp_path, plain, content):
    empty = tmp_path / "empty.en"
    empty.write_bytes(content)
    assert f"{empty}: the file is empty" in refuse((plain[0], empty))


def test_text_that_is_not_utf8(tmp_path, plain):
    latin = tmp_path / "latin.de"
    latin.write_bytes("erste Zeile\nschöne Zeile\n".encode("latin-1"))
    assert f"{latin}, line 2: byte 15 (0xf6) is not UTF-8" in refuse((latin, plain[1]))


@pytest.mark.parametrize("damage", [lambda data: b"text\n", lambda data: data[:-12], bytes.lower])
def test_bad_gzip(plain, damage):
    path = zipped(plain[0])
    path.write_bytes(damage(path.read_bytes()))
    assert refuse((path, plain[1])).startswith(f"{path}: not a whole gzip file")


def test_a_packed_file_that_unpacks_to_what_no_text_does(plain, monkeypatch):
    monkeypatch.setattr("rlattn.corpora.lines._ALWAYS", 1000)
    bomb = plain[0].with_name("bomb.de.gz")
    bomb.write_bytes(gzip.compress(b"ein Satz\n" * 100_000))
    assert "unpacks to more than" in refuse((bomb, plain[1]))
    bomb.write_bytes(gzip.compress(plain[0].read_bytes()))
    assert list(read_parallel((bomb, plain[1])).train)


def test_gzip_under_a_plain_name(plain):
    plain[0].write_bytes(zipped(plain[0]).read_bytes())
    assert f"{plain[0]}: this is a gzip file" in refuse(plain)


@pytest.mark.parametrize(("row", "tabs"), [("no tab at all", 0), ("one\ttwo\tthree", 2)])
def test_a_row_without_exactly_one_tab(tmp_path, row, tabs):
    tsv = write(tmp_path / "text.tsv", ["a\tb", row])
    assert f"{tsv}, line 2: {tabs} tabs; expected exactly one" in refuse(tsv)


def test_one_side_empty(tmp_path, plain):
    target = write(tmp_path / "gap.en", [*TARGETS[:6], "", *TARGETS[7:]])
    message = refuse((plain[0], target))
    assert f"{plain[0]} and {target}, line 7: there is a source but the target is empty" in message
