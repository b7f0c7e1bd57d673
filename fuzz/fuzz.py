"""Fuzzes what reads bytes from strangers: see README.md beside this file."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import atheris

with atheris.instrument_imports(include=["rlattn", "tyro"]):
    import targets

FOUND = Path("build/fuzz")


def main() -> None:
    """Runs one target for some minutes; the fuzzer ends the process, with 0 if nothing is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=sorted(targets.TARGETS), required=True)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0, help="0 draws one; the fuzzer prints it")
    parser.add_argument("--input", type=Path, help="try this input alone")
    options = parser.parse_args()
    FOUND.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        target = targets.TARGETS[options.target](Path(folder))
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        for number, seed in enumerate(target.seeds()):
            (seeds / str(number)).write_bytes(seed)
        arguments = [
            f"-seed={options.seed}",
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=65536",
            "-print_final_stats=1",
            f"-artifact_prefix={FOUND}/{options.target}-",
        ]
        if options.input is None:
            arguments += [f"-max_total_time={round(60 * options.minutes)}", str(seeds)]
        else:
            arguments.append(str(options.input))
        atheris.Setup([sys.argv[0], *arguments], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
