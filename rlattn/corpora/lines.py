"""Lines of a text file, read strictly: what cannot be read rightly is an error, never a guess."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from rlattn.errors import InputError

_GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: str | Path) -> list[str]:
    r"""Return the lines of a UTF-8 text file, plain or gzipped.

    Only `\n` and `\r\n` end a line, so that line n of a source file stays line n of its
    translation. A byte order mark at the beginning and blank lines at the end are left out.

    Args:
        path: The file; it is unpacked when its name ends in `.gz`.

    Returns:
        At least one line, without line ends.

    Raises:
        InputError: If the file is missing, a folder, unreadable, empty, not UTF-8 or bad gzip.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; "
            "convert the file to UTF-8"
        ) from error
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InputError(f"{path}: the file is empty; expected one sentence per line")
    return lines


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
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not a whole gzip file, though its name ends in .gz") from error
