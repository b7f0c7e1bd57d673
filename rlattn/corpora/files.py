"""Parallel text from files: two line-aligned files, or one with tab-separated columns."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from rlattn.checks import check_path
from rlattn.corpora.base import Pair, ParallelCorpus, pair_up
from rlattn.corpora.lines import read_columns, read_lines
from rlattn.corpora.splits import build_corpus
from rlattn.errors import InputError

Files = str | Path | tuple[str | Path, str | Path]
"""One file of `source<TAB>target` lines, or a source file and its line-by-line translation."""


def read_parallel(
    train: Files,
    valid: Files | None = None,
    test: Files | None = None,
    *,
    train_size: int | None = None,
) -> ParallelCorpus:
    """Read a corpus from UTF-8 text files, each plain or, when its name ends in `.gz`, gzipped.

    Lines that are empty on both sides are skipped.

    Args:
        train: Training text.
        valid: Validation text; when None, one in forty source sentences of the training text, at
            least 1 and at most 1,000, chosen by a hash of the sentence.
        test: Test text; the same when None.
        train_size: Most training pairs to keep, the first ones; None keeps all.

    Returns:
        The corpus, without the training pairs whose source is in another split.

    Raises:
        InputError: If a file cannot be read rightly, the sides do not match, or no pair is left.
    """
    return build_corpus(
        f"files:{_name(train)}",
        _read(train),
        None if valid is None else _read(valid),
        None if test is None else _read(test),
        train_size=train_size,
    )


def _read(files: Files) -> list[Pair]:
    if not isinstance(files, tuple):
        return pair_up(read_columns(check_path(files), ("source", "target")), str(files))
    if len(files) != 2:
        raise InputError(f"corpora of {len(files)} files: expected two, the source and the target")
    source, target = files
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise InputError(
            f"{source} has {len(sources)} lines but {target} has {len(targets)}: "
            "each line must be the translation of the same line in the other file"
        )
    return pair_up(zip(count(1), sources, targets), f"{source} and {target}")


def _name(files: Files) -> str:
    given = files if isinstance(files, tuple) else (files,)
    return "-".join(check_path(file).name for file in given)
