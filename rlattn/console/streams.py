"""Lines of text as they arrive, and new files that are whole or not there."""

from __future__ import annotations

import json
import os
import re
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from io import BufferedReader, UnsupportedOperation
from pathlib import Path
from typing import TextIO

from rlattn.checks import check_path
from rlattn.errors import InputError

_PIECE = 1 << 16  # bytes that are taken in at once
_PAUSE = 0.2  # seconds without input, after which what has arrived is handed out

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What may end a line or a column, or cannot be UTF-8."""


@dataclass(frozen=True)
class Chunk:
    """Neighbouring lines.

    Attributes:
        lines: At least one, without their ends.
        first: The number of the first, counted from 1.
        size: What they take in the input, in bytes.
    """

    lines: list[str]
    first: int
    size: int

    @cached_property
    def texts(self) -> dict[int, str]:
        """Those in which there is more than space, by their numbers."""
        return {number: line for number, line in enumerate(self.lines, self.first) if line.strip()}


class LineSource:
    """UTF-8 text that is read little by little, so that it may be of any size, or have no end.

    Args:
        stream: What to read.
        name: What to call it in messages.
    """

    def __init__(self, stream: BufferedReader, name: str) -> None:
        self._stream, self._name = stream, name
        try:
            self._file: int | None = stream.fileno()
        except UnsupportedOperation:  # nothing but memory
            self._file = None

    @classmethod
    def open(cls, path: Path | None, files: ExitStack) -> LineSource:
        """Opens a file, or standard input for None.

        Args:
            path: The file.
            files: Closes it.

        Raises:
            InputError: If the file cannot be read.
        """
        if path is None:
            return cls(sys.stdin.buffer, "standard input")  # type: ignore[arg-type]
        try:
            return cls(files.enter_context(check_path(path).open("rb")), str(path))
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from error

    @property
    def size(self) -> int | None:
        """How many bytes there are in all, or None where that shows at the end only."""
        if self._file is None:
            return None
        status = os.fstat(self._file)
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def chunks(self, most: int) -> Iterator[Chunk]:
        """Hands out the lines in their order.

        A chunk ends when it is full, and when the input pauses: whoever types, or pipes from a
        program that takes its time, does not wait for lines that are still to come.

        Args:
            most: How many lines a chunk may have.

        Raises:
            InputError: If a line is not UTF-8.
        """
        waiting: list[bytes] = []
        begun, first = b"", 1
        while piece := self._stream.read1(_PIECE):
            *lines, begun = (begun + piece).split(b"\n")
            waiting += (line + b"\n" for line in lines)
            while len(waiting) >= most or (waiting and self._pauses()):
                yield self._chunk(waiting[:most], first)
                first += len(waiting[:most])
                del waiting[:most]
        waiting += [begun] if begun else []
        for start in range(0, len(waiting), most):
            yield self._chunk(waiting[start : start + most], first + start)

    def _pauses(self) -> bool:
        """Whether nothing more arrives for a while; the end of the input is no pause."""
        if self._file is None:
            return False
        try:
            return not select.select([self._file], [], [], _PAUSE)[0]
        except OSError:  # on Windows pipes and files cannot be waited for
            return False

    def _chunk(self, raw: list[bytes], first: int) -> Chunk:
        lines = []
        for number, line in enumerate(raw, first):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError(f"{self._name}, line {number}: not UTF-8 text") from error
            lines.append(text.rstrip("\r\n"))
        return Chunk(lines, first, sum(map(len, raw)))


def open_new(path: Path, files: ExitStack) -> TextIO:
    """Opens a new UTF-8 file, which is removed again if an error ends its use.

    Args:
        path: The file.
        files: Closes it.

    Raises:
        InputError: If there is such a file already, or it cannot be written.
    """
    try:
        stream = check_path(path).open("x", encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{path} exists already and is kept: name another output file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error

    def discard(error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            path.unlink()

    files.push(discard)
    return files.enter_context(stream)


def in_one_line(text: str) -> str:
    """Text with a space for whatever would end a line or a column, and none around it."""
    return " ".join(_CONTROLS.sub(" ", text).split())


def json_line(data: object) -> str:
    """JSON in one line for whoever reads it, with letters of all languages as they are."""
    text = json.dumps(data, ensure_ascii=False)
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
