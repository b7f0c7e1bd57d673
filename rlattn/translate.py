"""Translate lines of text under a trained policy: from a file or standard input, to the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import tyro

from rlattn.errors import InputError, RlattnError
from rlattn.hosts import load_host
from rlattn.inference import load, translate


@dataclass(frozen=True)
class Config:
    """What to translate, with which policy.

    Attributes:
        policy: The `policy` folder of a run.
        input: A text file, one sentence a line; standard input when not given.
        output: Where the translations go; standard output when not given.
        host: The host the policy was trained on; by default where the run found it.
        max_source: Longest source in tokens; longer ones are cut and counted.
        max_target: The most tokens to write per line.
        batch_size: How many lines are translated together.
        device: cpu or cuda.
    """

    policy: Path
    input: Path | None = None
    output: Path | None = None
    host: str | None = None
    max_source: int = 256
    max_target: int = 256
    batch_size: int = 64
    device: str = "cpu"


def run(config: Config) -> None:
    """Translates line by line, a few batches in memory at a time; empty lines stay empty.

    Raises:
        InputError: If the policy, its host or a file cannot be used.
    """
    for name in ("max_source", "max_target", "batch_size"):
        if getattr(config, name) < 1:
            raise InputError(
                f"--{name.replace('_', '-')} {getattr(config, name)}: expected at least 1"
            )
    policy = load(config.policy)
    host = load_host(config.host or policy.host_name, config.device)
    policy.check(host.model)
    limit = min(config.max_source, host.max_source or config.max_source)
    cut, reads, count = 0, 0.0, 0
    with ExitStack() as files:
        lines = _lines(config.input, files)
        chunk = list(islice(lines, 16 * config.batch_size))
        output = _writer(config.output, files)
        while chunk:
            texts = [line for line in chunk if line.strip()]
            result = translate(
                host,
                texts,
                policy,
                max_source=limit,
                max_target=config.max_target,
                batch=config.batch_size,
            )
            written = iter(result.texts)
            for line in chunk:
                print(next(written) if line.strip() else "", file=output, flush=True)
            cut, count = cut + result.truncated, count + len(texts)
            reads += sum(result.reads_fraction)
            chunk = list(islice(lines, 16 * config.batch_size))
    summary = f"{count} sentences, {100 * reads / max(count, 1):.1f} % of their positions read"
    if cut:
        summary += f"; {cut} were longer than {limit} tokens and were cut"
    print(summary, file=sys.stderr)


def _lines(path: Path | None, files: ExitStack) -> Iterator[str]:
    name = "standard input" if path is None else str(path)
    try:
        stream = sys.stdin.buffer if path is None else files.enter_context(path.open("rb"))
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({error.strerror})") from error
    for number, line in enumerate(stream, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{name}, line {number}: not UTF-8 text") from error


def _writer(path: Path | None, files: ExitStack) -> TextIO:
    if path is None:
        return sys.stdout
    try:
        return files.enter_context(path.open("x", encoding="utf-8"))
    except FileExistsError as error:
        raise InputError(f"{path} exists already and is kept: name another output file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    config = tyro.cli(Config, description=__doc__, config=(tyro.conf.OmitArgPrefixes,))
    try:
        run(config)
    except RlattnError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
