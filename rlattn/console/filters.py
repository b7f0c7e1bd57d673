"""What programs share that take text line by line and write a line for each: Unix's filters."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TextIO

from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from rlattn.console.streams import Chunk, LineSource, open_new
from rlattn.console.terminal import Terminal
from rlattn.visible import visible


class LineFilter:
    """Hands out lines from a file or standard input, and writes what comes of them to the other.

    Progress shows on a terminal, unless the results go there and are progress enough. Files are
    whole or not there: after an error their names are free again.

    Args:
        input: A UTF-8 text file; None for standard input.
        output: A new file; None for standard output.
        most: How many lines are handed out at once.
        what: What the lines are, in the plural.
        files: Closes the files.

    Raises:
        InputError: If a file cannot be read, or cannot be made.
    """

    def __init__(
        self, input: Path | None, output: Path | None, most: int, what: str, files: ExitStack
    ) -> None:
        source = LineSource.open(input, files)
        chunks = source.chunks(most)
        first = [chunk] if (chunk := next(chunks, None)) else []
        # What cannot be read is known by now, before anything is made.
        self._chunks = chain(first, chunks)
        self._output = sys.stdout if output is None else open_new(output, files)
        self._advance = files.enter_context(_progress(source.size, self._output, what))
        self._what, self._count, self._reads, self._cut = what, 0, 0.0, 0

    def __iter__(self) -> Iterator[Chunk]:
        return self._chunks

    def write(self, chunk: Chunk, results: Iterable[str], reads: Sequence[float], cut: int) -> None:
        """Writes a line for each that was handed out; an empty one for those that are no texts.

        Args:
            chunk: The lines.
            results: What to write for each text.
            reads: The fraction of each text that was read.
            cut: How many texts were longer than allowed.
        """
        written = iter(results)
        for number in range(chunk.first, chunk.first + len(chunk.lines)):
            result = next(written) if number in chunk.texts else ""
            # To a file or a program goes what it is; to a person, what can be shown.
            shown = visible(result, keep="\t") if self._output.isatty() else result
            print(shown, file=self._output, flush=True)
        self._count += len(reads)
        self._reads, self._cut = self._reads + sum(reads), self._cut + cut
        self._advance(self._count, chunk.size)

    def summarise(self, limit: int) -> None:
        """Says on standard error how many texts there were, and how much of them was read.

        Args:
            limit: The most tokens of a text.
        """
        share = 100 * self._reads / max(self._count, 1)
        summary = f"{self._count} {self._what}, {share:.1f} % of their positions read"
        if self._cut:
            summary += f"; {self._cut} were longer than {limit} tokens and were cut"
        print(summary, file=sys.stderr)


@contextmanager
def _progress(size: int | None, output: TextIO, what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows progress on a terminal.

    Args:
        size: Of the input, in bytes, if that is known.
        output: Where the results go.
        what: What they are results of, in the plural.

    Yields:
        What to call with the texts done so far, and the bytes of the lines just done.
    """
    console = Terminal(stderr=True)
    columns: list[ProgressColumn] = [
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
    ]
    if size is not None:
        columns += [BarColumn(), TaskProgressColumn(), TimeRemainingColumn()]
    bar = Progress(
        *columns,
        console=console,
        transient=True,
        # Otherwise rich would send to the terminal what is printed into a file.
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal or output.isatty(),
    )
    started = time.monotonic()
    with bar:
        task = bar.add_task(f"0 {what}", total=size)

        def advance(texts: int, more: int) -> None:
            rate = texts / (time.monotonic() - started)
            bar.update(task, advance=more, description=f"{texts:,} {what}, {rate:.1f} a second")

        yield advance
