"""Translate lines of text under a trained policy: from a file or standard input, to the other."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rlattn.console.cli import (
    Maybe,
    Modules,
    check_counts,
    check_device,
    find_policy,
    import_modules,
    run_program,
)
from rlattn.console.filters import LineFilter
from rlattn.console.options import check_types
from rlattn.console.streams import open_new
from rlattn.inference import translate
from rlattn.plots import AttentionPage


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
    check_types(config)
    check_counts(config, "max_source", "max_target", "beams", "batch_size")
    check_device(config.device)
    import_modules(config.imports)
    policy, host = find_policy(config.policy, config.host, config.device)
    limit = min(config.max_source, host.max_source or config.max_source)
    with ExitStack() as files:
        lines = LineFilter(config.input, config.output, 16 * config.batch_size, "sentences", files)
        page = None
        if config.html is not None:
            page = files.enter_context(AttentionPage(open_new(config.html, files)))
        for chunk in lines:
            result = translate(
                host,
                list(chunk.texts.values()),
                policy,
                max_source=limit,
                max_target=config.max_target,
                batch=config.batch_size,
                beams=config.beams,
                trace=page is not None,
            )
            lines.write(chunk, result.texts, result.reads_fraction, result.truncated)
            if page is not None:
                for number, alignment in zip(chunk.texts, result.alignments, strict=True):
                    page.add({"policy": alignment}, f"line {number}")
    lines.summarise(limit)


def main() -> None:
    """Runs from the command line; bad input prints one line and exits with 2."""
    run_program("rlattn.translate", __doc__, Config, run)


if __name__ == "__main__":
    main()
