"""Run an experiment once more from its out folder, and compare policies, metrics and samples.

On one machine with the same versions everything is equal but for clocks and memory. Exits with 0 if
it is, and with 1 if something differs. Files that the run was given by relative paths are looked
for from here.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import torch
import tyro
from rich.console import Console

from rlattn.console.cli import Maybe, import_modules, run_program
from rlattn.console.terminal import Terminal
from rlattn.experiments.outputs import check_output
from rlattn.reproduce.conditions import changes, check_material
from rlattn.reproduce.programs import read_run
from rlattn.reproduce.sameness import Verdict, compare_folders
from rlattn.reproduce.table import print_verdicts


@dataclass(frozen=True)
class Config:
    """Which run, and where to put the new one.

    Attributes:
        folder: The out folder of a run that is over.
        out: The folder for the new run, new or empty; by default one below runs/ named after the
            time.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    out: Maybe[Path] = None


def run(config: Config, console: Console) -> list[Verdict]:
    """Runs and compares, with as many threads of PyTorch as the run had.

    Args:
        config: Which run.
        console: Where to report.

    Returns:
        What is to be said of each file.

    Raises:
        InputError: If the folder is no run that is over, or its corpus or host is not there or is
            another.
    """
    folder = config.folder.expanduser()
    out = check_output(config.out or Path("runs") / time.strftime("again-%Y%m%d-%H%M%S"))
    old = read_run(folder)
    import_modules(getattr(old.config, "imports", ()))
    check_material(old)
    then = old.about["provenance"]
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    for line in changes(then):
        say(f"{line}: what comes out may differ")
    if getattr(old.config, "minutes", None) is not None:
        say("trainings lasted so many minutes, not steps: what comes out will differ")
    torch.set_num_threads(then["threads"])
    say(f"running {old.name} again on {then['threads']} threads; the new run goes to {out}")
    old.program.run(old.into(out).config, console)
    found = compare_folders(folder, out, timed=old.program.timed, belongs=old.belongs)
    print_verdicts(console, found)
    return found


def _run_and_exit(config: Config) -> None:
    verdicts = run(config, Terminal())
    if any(verdict.state == "differs" for verdict in verdicts):
        sys.exit(1)


def main() -> None:
    """Runs from the command line; 1 if something differs, 2 for bad input."""
    run_program("rlattn.reproduce", __doc__, Config, _run_and_exit)


if __name__ == "__main__":
    main()
