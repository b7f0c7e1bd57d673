"""Labelled text from files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rlattn.checks import check_path
from rlattn.corpora.base import Pair, ParallelCorpus, pair_up
from rlattn.corpora.splits import build_corpus
from rlattn.corpora.tables import SIDES, Rows, csv_rows, json_rows, tab_rows
from rlattn.errors import InputError

_READERS = {".tsv": tab_rows, ".txt": tab_rows, ".csv": csv_rows, ".jsonl": json_rows}


def read_labelled(
    train: str | Path,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    *,
    text: str | None = None,
    label: str | None = None,
    train_size: int | None = None,
) -> ParallelCorpus:
    """Read a corpus of texts and their labels from UTF-8 files, each plain or gzipped.

    What a file is, its name's ending says: `.csv` has a header; `.jsonl` has a JSON object on each
    line, whose label may be a number or a truth value, too; `.tsv` and `.txt` have a text, a tab
    and its label on each line, or any columns below a header if `text` or `label` is given. Any of
    them may end in `.gz` besides. Rows with neither text nor label are skipped.

    Args:
        train: Training texts.
        valid: Validation texts; when None, taken out of the training texts as `read_parallel` does.
        test: Test texts; the same when None.
        text: The column of texts; by default `text` or else `sentence`.
        label: The column of labels; by default `label`.
        train_size: Most training texts to keep, the first ones; None keeps all.

    Returns:
        The corpus: texts as sources, labels as targets (see `labels_of`), without the training
        pairs whose text is in another split.

    Raises:
        InputError: If a file cannot be read rightly, or no pair is left.
    """

    def read(file: str | Path) -> list[Pair]:
        path = check_path(file)
        return pair_up(_reader(path)(path, text, label), str(path), sides=SIDES)

    return build_corpus(
        f"files:{Path(train).name}",
        read(train),
        None if valid is None else read(valid),
        None if test is None else read(test),
        train_size=train_size,
    )


def _reader(path: Path) -> Callable[[Path, str | None, str | None], Rows]:
    ending = (path.with_suffix("") if path.suffix == ".gz" else path).suffix
    if ending not in _READERS:
        raise InputError(
            f"{path}: expected a name that ends in {', '.join(_READERS)}, or one of these and .gz"
        )
    return _READERS[ending]
