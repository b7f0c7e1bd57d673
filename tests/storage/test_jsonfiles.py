"""JSON from outside is of a known size, shallow, and without anything doubtful."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlattn.errors import InputError
from rlattn.storage.jsonfiles import CARD, DEEPEST, parse, read_object

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(data=VALUES, indent=st.none() | st.just(2), ascii=st.booleans())
def test_what_the_standard_library_writes_is_read(
    data: object, indent: int | None, ascii: bool
) -> None:
    assert parse(json.dumps(data, indent=indent, ensure_ascii=ascii)) == data


@pytest.mark.parametrize("opened", ["[", '{"a":'])
def test_levels_are_counted_to_a_limit(opened: str) -> None:
    closed = {"[": "]", '{"a":': "}"}[opened]
    assert parse(f"{opened * (DEEPEST - 1)}[]{closed * (DEEPEST - 1)}")
    for depth in (DEEPEST + 1, 1000, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse(f"{opened * depth}1{closed * depth}")


def test_brackets_in_texts_are_no_levels() -> None:
    assert parse(json.dumps(["[" * 1000, '"' + "{" * 1000, "\\" * 3 + "[" * 1000]))


REFUSED = {
    "a key twice": ('{"a": 1, "a": 2}', "the key 'a' stands there twice"),
    "a key twice, inside": ('{"b": [{"a": 1, "a": 1}]}', "the key 'a' stands there twice"),
    "not a number": ('{"a": NaN}', "NaN is no number of JSON"),
    "infinite": ('{"a": -Infinity}', "-Infinity is no number of JSON"),
    "a float beyond all": ('{"a": 1e999}', "found 1e999, expected a finite number"),
    "a number of many digits": ('{"a": ' + "9" * 10_000 + "}", "4300 digits"),
    "nothing": ("", "Expecting value"),
    "a comment": ('{"a": 1} // of mine', "Extra data"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_doubtful_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError, match=rf"^card\.json is damaged \(.*{message}[^\n]*\)$"):
        read_object(tmp_path / "card.json")


@pytest.mark.parametrize("text", ["[]", "1", "null", '"{}"'])
def test_what_is_no_object_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(InputError, match=r"^card\.json: found .*, expected an object"):
        read_object(tmp_path / "card.json")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(InputError, match=r"^card\.json is damaged \('utf-8' codec"):
        read_object(tmp_path / "card.json")


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    path.write_text("{}" + " " * (CARD - 2))
    assert read_object(path) == {}
    path.write_text("{}" + " " * (CARD - 1))
    with pytest.raises(InputError, match="found 1,048,577 bytes, expected at most 1,048,576"):
        read_object(path)
    assert read_object(path, most=2 * CARD) == {}


def test_many_keys_take_no_longer_than_their_number(tmp_path: Path) -> None:
    text = json.dumps({str(number): 0 for number in range(100_000)})
    began = time.process_time()
    assert len(parse(text)) == 100_000
    assert time.process_time() - began < 5  # comparing each with each takes minutes
