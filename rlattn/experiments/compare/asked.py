"""Which kind of host a command line is about."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rlattn.errors import InputError
from rlattn.experiments.compare.settings import Config, LabelConfig
from rlattn.experiments.resume import described

_LABELLED = ("kinds:", "csv:", "jsonl:")


def asked_for(arguments: Sequence[str]) -> type[Config] | type[LabelConfig]:
    """The options of a command line: those of a translator, or of a classifier.

    ``--kind`` says it, or the folder of ``--resume``. Else it is a classifier where --train names a
    file of labelled text, or --corpus a corpus that can be nothing else.

    Args:
        arguments: What follows the program's name.
    """
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--kind", "--corpus", "--train", "--resume"):
        parser.add_argument(name, nargs="?")
    given, _ = parser.parse_known_args(list(arguments))
    if given.kind is None and given.resume is not None:
        with suppress(InputError):  # said when its settings are read
            given.kind = described(Path(given.resume).expanduser()).get("kind")
    if given.kind is not None:
        return LabelConfig if given.kind == "classification" else Config
    labelled = (given.corpus or "").startswith(_LABELLED)
    return LabelConfig if given.train is not None or labelled else Config
