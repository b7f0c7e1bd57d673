"""Lines arrive in chunks: all of them, in order, and never many more than were asked for."""

from __future__ import annotations

import io
import json
import os
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlattn.console.streams import Chunk, LineSource, in_one_line, json_line, open_new
from rlattn.errors import InputError


def chunks(data: bytes, most: int) -> list[Chunk]:
    return list(LineSource(io.BufferedReader(io.BytesIO(data)), "text").chunks(most))


class Endless(io.RawIOBase):
    """Lines without an end, and how many bytes of them were taken."""

    taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        line = b"ba de\n" * (len(buffer) // 6)
        buffer[: len(line)] = line
        self.taken += len(line)
        return len(line)


@settings(max_examples=100)
@given(
    st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), max_size=5)),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.integers(1, 4),
)
def test_no_line_is_lost_or_changed(lines: list[str], end: str, ended: bool, most: int) -> None:
    data = end.join(lines).encode() + (end.encode() if ended and lines else b"")
    expected = [line.removeprefix("\ufeff") if not i else line for i, line in enumerate(lines)]
    if lines and not lines[-1] and not ended:
        expected.pop()  # what follows the last end is a line only if there is something
    found = chunks(data, most)
    assert [line for chunk in found for line in chunk.lines] == expected
    assert all(1 <= len(chunk.lines) <= most for chunk in found)
    assert sum(chunk.size for chunk in found) == len(data)
    starts = [1 + sum(len(chunk.lines) for chunk in found[:i]) for i in range(len(found))]
    assert [chunk.first for chunk in found] == starts


def test_an_endless_text_is_read_only_as_far_as_it_is_used() -> None:
    stream = Endless()
    source = LineSource(io.BufferedReader(stream), "text").chunks(100)
    used = sum(next(source).size for _ in range(2_000))
    assert used == 2_000 * 100 * 6
    assert stream.taken < used + 150_000


def test_a_long_line_is_one_line() -> None:
    (chunk,) = chunks(b"a" * 1_000_000 + b"\nb", 5)
    assert [len(line) for line in chunk.lines] == [1_000_000, 1]


def test_whoever_waits_for_an_answer_gets_it_before_the_next_line() -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb") as reader, os.fdopen(start, "wb", buffering=0) as writer:
        source = LineSource(reader, "pipe")
        assert source.size is None
        found = source.chunks(100)
        writer.write(b"ba\nbe\nunfini")
        assert next(found).lines == ["ba", "be"]
        writer.write(b"shed\n")
        assert next(found).lines == ["unfinished"]


def test_lines_that_follow_closely_are_one_chunk() -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb") as reader, os.fdopen(start, "wb", buffering=0) as writer:
        writer.write(b"ba\n")
        Timer(0.02, lambda: writer.write(b"be\n")).start()
        assert next(LineSource(reader, "pipe").chunks(100)).lines == ["ba", "be"]


def test_a_file_has_a_size(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"ba\nbe")
    with ExitStack() as files:
        source = LineSource.open(tmp_path / "text", files)
        assert source.size == 5
        assert [chunk.lines for chunk in source.chunks(9)] == [["ba", "be"]]


def test_what_is_not_utf8_is_named() -> None:
    with pytest.raises(InputError, match="text, line 3: not UTF-8 text"):
        chunks(b"ba\nbe\n\xe4\n", 2)


def test_a_new_file_stays_unless_its_use_fails(tmp_path: Path) -> None:
    with ExitStack() as files:
        open_new(tmp_path / "kept", files).write("ä")
    assert (tmp_path / "kept").read_bytes() == "ä".encode()
    files = ExitStack()
    open_new(tmp_path / "gone", files).write("ä")
    with pytest.raises(KeyError), files:
        raise KeyError
    assert not (tmp_path / "gone").exists()


ANY_TEXT = st.text(st.characters() | st.sampled_from("\t\n\r\0\x1c\x7f\x85\u2028\u2029\ud800 "))


@given(ANY_TEXT)
def test_any_text_fits_in_one_line_and_one_column(text: str) -> None:
    line = in_one_line(text)
    assert len(line.splitlines()) <= 1
    assert "\t" not in line
    line.encode()
    assert in_one_line(f" {line}\n") == line
    if text.isalnum():
        assert line == text


@given(st.dictionaries(ANY_TEXT, ANY_TEXT | st.floats(allow_nan=False) | st.none()))
def test_json_in_one_line_comes_back(data: dict[str, object]) -> None:
    line = json_line(data)
    assert len(line.splitlines()) == 1
    assert json.loads(line.encode()) == data


def test_json_in_one_line_can_be_read() -> None:
    assert json_line(["Größe", "日本"]) == '["Größe", "日本"]'


def test_texts_are_lines_that_hold_something() -> None:
    assert Chunk(["", "a", " \t", "b"], 5, 0).texts == {6: "a", 8: "b"}
