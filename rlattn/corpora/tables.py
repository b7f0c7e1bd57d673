"""Tables of texts and labels: CSV, tab-separated text and JSON lines, read strictly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rlattn.corpora.cells import as_label, as_text
from rlattn.corpora.lines import read_columns, read_lines, read_text
from rlattn.errors import InputError

Rows = Iterator[tuple[int, str, str]]
"""Number of a row, or of the line where it begins, and its two sides."""

SIDES = ("text", "label")
"""What the sides of a labelled pair are called."""

_TEXTS = ("text", "sentence")
_LABELS = ("label",)


def csv_rows(path: Path, text: str | None = None, label: str | None = None) -> Rows:
    """Yield the rows of a CSV file whose first line names its columns.

    Args:
        path: The file; cells that hold commas, quotes or line ends stand in quotes.
        text: The column of texts; `text` or else `sentence` when None.
        label: The column of labels; `label` when None.

    Raises:
        InputError: If the file cannot be read, lacks a column, or a row has too few or too many.
    """
    return _by_header(path, _records(path), text, label)


def tab_rows(path: Path, text: str | None = None, label: str | None = None) -> Rows:
    """Yield the rows of a file of tab-separated columns.

    Args:
        path: The file.
        text: The column of texts. When it and `label` are None, the file has no header, and each
            line is a text, a tab and its label; otherwise the first line names the columns.
        label: The column of labels.

    Raises:
        InputError: If the file cannot be read, lacks a column, or a row has too few or too many.
    """
    if text is not None or label is not None:
        lines = enumerate(read_lines(path), start=1)
        records = ((number, line.split("\t")) for number, line in lines if line.strip())
        yield from _by_header(path, records, text, label)
        return
    for number, first, second in read_columns(path, SIDES):
        if number == 1 and first in _TEXTS and second in _LABELS:
            raise InputError(
                f"{path}, line 1: this is a header; say so by naming its columns {first} and "
                f"{second}, or take the line out"
            )
        yield number, first, second


def json_rows(path: Path, text: str | None = None, label: str | None = None) -> Rows:
    """Yield the rows of a file with a JSON object on each line.

    Args:
        path: The file.
        text: The key of texts; `text` or else `sentence` when None.
        label: The key of labels, which are text, whole numbers, true or false; `label` when None.

    Raises:
        InputError: If the file cannot be read, or a line is no object with both keys.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            where = f"{path}, line {number}"
            row = _object(line, where)
            text_key, label_key = columns_in(list(row), text, label, where)
            yield number, as_text(row[text_key], where), as_label(row[label_key], where)


def columns_in(
    names: Sequence[str], text: str | None, label: str | None, where: str
) -> tuple[str, str]:
    """Return which of some columns hold texts and labels.

    Args:
        names: The columns there are.
        text: The one that is asked for, or None for `text` or else `sentence`.
        label: The one that is asked for, or None for `label`.
        where: What is being read, for the error message.

    Raises:
        InputError: If a column is not there, or there twice.
    """
    asked = (_TEXTS if text is None else (text,), _LABELS if label is None else (label,))
    for side, wanted in zip(SIDES, asked, strict=True):
        found = [names.count(name) for name in wanted if name in names]
        if found[:1] != [1]:
            fault = "two columns" if found else "no column"
            raise InputError(
                f"{where}: {fault} {' or '.join(wanted)}; there is {', '.join(names)}; "
                f"name the one column that holds the {side}"
            )
    first, second = (next(name for name in wanted if name in names) for wanted in asked)
    return first, second


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the first line and the cells of each row of a CSV file that is not blank."""
    reader = csv.reader(io.StringIO(read_text(path), newline="\n"), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise InputError(
                f"{path}, line {number}: not CSV: {error}; a cell with commas, quotes or line ends "
                "stands in quotes, and its quotes are doubled"
            ) from error
        if cells is None:
            return
        if any(map(str.strip, cells)):
            yield number, cells


def _by_header(
    path: Path, records: Iterator[tuple[int, list[str]]], text: str | None, label: str | None
) -> Rows:
    """Yield the rows of a table whose first record names its columns."""
    number, header = next(records, (1, []))
    names = [name.strip() for name in header]
    columns = columns_in(names, text, label, f"{path}, line {number}")
    first, second = map(names.index, columns)
    for number, cells in records:
        if len(cells) != len(names):
            raise InputError(
                f"{path}, line {number}: {len(cells)} columns; "
                f"expected {len(names)}, as the header has"
            )
        yield number, cells[first], cells[second]


def _object(line: str, where: str) -> dict[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = getattr(error, "msg", error)
        raise InputError(
            f"{where}: not JSON: {reason}; expected an object, on a line of its own"
        ) from error
    if not isinstance(value, dict):
        raise InputError(
            f'{where}: not a JSON object; expected one such as {{"text": "...", "label": "..."}}'
        )
    return value
