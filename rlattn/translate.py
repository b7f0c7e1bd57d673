"""Translate lines of text under a trained policy: from a file or standard input, to the other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

from rlattn.cli import Maybe, Modules, check_counts, check_device, import_modules, run_program
from rlattn.errors import InputError
from rlattn.hosts import load_host
from rlattn.inference import load, translate


@dataclass(frozen=True)
class Config:
    """What to translate, with which policy.

    Attributes:
        policy: The `policy` folder of a run.
        input: A UTF-8 text file, one sentence a line; by default standard input.
        output: The file for the translations, which must be new; by default standard output.
        host: The host that the policy was trained on; by default where that run found it.
        max_source: Longest source in tokens; longer ones are cut and counted.
        max_target: The most tokens to write per line.
        batch_size: How many lines are translated together.
        device: Where host and policy run: `cpu` or `cuda`.
        imports: Python modules to import first, such as the one that registers the policy's action
            family.
    """

    policy: Path
    input: Maybe[Path] = None
    output: Maybe[Path] = None
    host: Maybe[str] = None
    max_source: int = 256
    max_target: int = 256
    batch_size: int = 64
    device: str = "cpu"
    imports: Modules = ()


def run(config: Config) -> None:
    """Translates line by line, a few batches in memory at a time; empty lines stay empty.

    An output file is whole or not there: after an error its name is free again.

    Raises:
        InputError: If the policy, its host or a file cannot be used.
    """
    check_counts(config, "max_source", "max_target", "batch_size")
    check_device(config.device)
    import_modules(config.imports)
    policy = load(config.policy)
    try:
        host = load_host(config.host or policy.host_name, config.device)
    except InputError as error:
        raise InputError(f"{error}; say with --host where the policy's host is") from error
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
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{name}, line {number}: not UTF-8 text") from error


def _writer(path: Path | None, files: ExitStack) -> TextIO:
    if path is None:
        return sys.stdout
    try:
        stream = path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{path} exists already and is kept: name another output file") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error

    def discard(error: type[BaseException] | None, *_: object) -> None:
        if error is not None:
            path.unlink()

    files.push(discard)
    return files.enter_context(stream)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.translate", __doc__, Config, run)


if __name__ == "__main__":
    main()
