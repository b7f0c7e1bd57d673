"""Translate lines of text under a trained policy: from a file or standard input, to the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from rlattn.cli import (
    Maybe,
    Modules,
    check_counts,
    check_device,
    find_policy,
    import_modules,
    run_program,
)
from rlattn.inference import translate
from rlattn.plots import AttentionPage
from rlattn.streams import LineSource, open_new


@dataclass(frozen=True)
class Config:
    """What to translate, with which policy.

    Attributes:
        policy: The `policy` folder of a run; or the name of a policy on the Hugging Face hub, as in
            someone/a-policy.
        input: A UTF-8 text file, one sentence a line; by default standard input.
        output: The file for the translations, which must be new; by default standard output.
        html: A page in which one points at a target token and sees what was read for it, a file
            that must be new; by default there is no page.
        host: The host that the policy was trained on; by default where that run found it.
        max_source: Longest source in tokens; longer ones are cut and counted.
        max_target: The most tokens to write per line.
        beams: How many hypotheses are kept at each step; 1 is greedy.
        batch_size: How many lines are translated together.
        device: Where host and policy run: `cpu` or `cuda`.
        imports: Python modules to import first, such as the one that registers the policy's action
            family.
    """

    policy: str
    input: Maybe[Path] = None
    output: Maybe[Path] = None
    html: Maybe[Path] = None
    host: Maybe[str] = None
    max_source: int = 256
    max_target: int = 256
    beams: int = 1
    batch_size: int = 64
    device: str = "cpu"
    imports: Modules = ()


def run(config: Config) -> None:
    """Translates line by line, a few batches in memory at a time; empty lines stay empty.

    Files that are written are whole or not there: after an error their names are free again.

    Raises:
        InputError: If the policy, its host or a file cannot be used.
    """
    check_counts(config, "max_source", "max_target", "beams", "batch_size")
    check_device(config.device)
    import_modules(config.imports)
    policy, host = find_policy(config.policy, config.host, config.device)
    limit = min(config.max_source, host.max_source or config.max_source)
    cut, reads, count = 0, 0.0, 0
    chunk_size = 16 * config.batch_size
    with ExitStack() as files:
        source = LineSource.open(config.input, files)
        chunks = source.chunks(chunk_size)
        chunk = next(chunks, None)  # what cannot be read is found before anything is made
        output = sys.stdout if config.output is None else open_new(config.output, files)
        page = None
        if config.html is not None:
            page = files.enter_context(AttentionPage(open_new(config.html, files)))
        advance = files.enter_context(_progress(source.size, output))
        while chunk is not None:
            texts = [line for line in chunk.lines if line.strip()]
            result = translate(
                host,
                texts,
                policy,
                max_source=limit,
                max_target=config.max_target,
                batch=config.batch_size,
                beams=config.beams,
                trace=page is not None,
            )
            written, alignments = iter(result.texts), iter(result.alignments)
            for number, line in enumerate(chunk.lines, chunk.first):
                print(next(written) if line.strip() else "", file=output, flush=True)
                if page is not None and line.strip():
                    page.add({"policy": next(alignments)}, f"line {number}")
            cut, count = cut + result.truncated, count + len(texts)
            reads += sum(result.reads_fraction)
            advance(count, chunk.size)
            chunk = next(chunks, None)
    summary = f"{count} sentences, {100 * reads / max(count, 1):.1f} % of their positions read"
    if cut:
        summary += f"; {cut} were longer than {limit} tokens and were cut"
    print(summary, file=sys.stderr)


@contextmanager
def _progress(size: int | None, output: TextIO) -> Iterator[Callable[[int, int], None]]:
    """Shows progress on a terminal, unless the translations go there and are progress enough.

    Args:
        size: Of the input, in bytes, if that is known.
        output: Where the translations go.

    Yields:
        What to call with the sentences done so far, and the bytes of the lines just done.
    """
    console = Console(stderr=True)
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
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
        task = bar.add_task("0 sentences", total=size)

        def advance(sentences: int, more: int) -> None:
            rate = sentences / (time.monotonic() - started)
            description = f"{sentences:,} sentences, {rate:.1f} a second"
            bar.update(task, advance=more, description=description)

        yield advance


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.translate", __doc__, Config, run)


if __name__ == "__main__":
    main()
