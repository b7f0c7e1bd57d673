"""Lines of a text file, read strictly: what cannot be read rightly is an error, never a guess."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from rlattn.checks import check_path
from rlattn.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"

_RATIO, _ALWAYS = 100, 2**26
"""How many times its size a packed file may have unpacked, and how many bytes in any case."""


def read_text(path: Path) -> str:
    r"""Return a UTF-8 text file, plain or gzipped, without a byte order mark, `\r\n` as `\n`.

    Args:
        path: The file; it is unpacked when its name ends in `.gz`.

    Raises:
        InputError: If the file is missing, a folder, unreadable, blank, not UTF-8 or bad gzip.
    """
    data = _read_bytes(check_path(path))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; "
            "convert the file to UTF-8"
        ) from error
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.strip():
        raise InputError(f"{path}: the file is empty; expected one sentence per line")
    return text


def read_lines(path: str | Path) -> list[str]:
    r"""Return the lines of a UTF-8 text file, plain or gzipped.

    Only `\n` and `\r\n` end a line, so that line n of a source file stays line n of its
    translation. A byte order mark at the beginning and blank lines at the end are left out.

    Args:
        path: The file; it is unpacked when its name ends in `.gz`.

    Returns:
        At least one line, without line ends.

    Raises:
        InputError: If the file is missing, a folder, unreadable, blank, not UTF-8 or bad gzip.
    """
    lines = read_text(check_path(path)).split("\n")
    while not lines[-1].strip():
        lines.pop()
    return lines


def read_columns(path: Path, sides: tuple[str, str]) -> Iterator[tuple[int, str, str]]:
    """Yield the number and the two columns of each line that is not blank.

    Args:
        path: The file, as `read_lines` takes it.
        sides: What stands before and behind the tab, for the error message.

    Raises:
        InputError: If the file cannot be read, or a line has not exactly one tab.
    """
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            columns = line.split("\t")
            if len(columns) != 2:
                raise InputError(
                    f"{path}, line {number}: {len(columns) - 1} tabs; "
                    f"expected exactly one, between {sides[0]} and {sides[1]}"
                )
            yield number, columns[0], columns[1]


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder; expected a text file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if path.suffix != ".gz":
        if data.startswith(_GZIP_MAGIC):
            raise InputError(f"{path}: this is a gzip file; give it a name that ends in .gz")
        return data
    most = max(_ALWAYS, _RATIO * len(data))
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file, though its name ends in .gz") from error
    if len(unpacked) > most:
        raise InputError(
            f"{path}: unpacks to more than {most:,} bytes, {_RATIO} times its own, which no text "
            "does; if this one does, unpack it first"
        )
    return unpacked
