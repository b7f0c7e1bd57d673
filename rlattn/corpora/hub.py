"""Parallel or labelled text from a Hugging Face data set: by name, or from a local folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlattn.corpora.base import Pair, ParallelCorpus, pair_up
from rlattn.corpora.cells import as_label, as_text
from rlattn.corpora.splits import build_corpus
from rlattn.corpora.tables import SIDES, Rows, columns_in
from rlattn.errors import InputError

_NAME = re.compile(
    r"(?P<data>[^#:]+)(?::(?P<config>[^#:]+))?#"
    r"(?:(?P<text>[^#,]+),(?P<label>[^#,]+)|(?P<source>[^#-]+)-(?P<target>[^#-]+))"
)
_VALID_SPLITS = ("validation", "valid", "val", "dev")


def hub_corpus(name: str, *, train_size: int | None = None) -> ParallelCorpus:
    """Return the corpus in a data set, such as `opus_books:de-en#de-en` or `imdb#text,label`.

    Needs the extra `hub` (the `datasets` library).

    Args:
        name: `DATA[:CONFIG]#SOURCE-TARGET`: a data set on the hub or a folder, perhaps one of its
            configurations, and the two columns to read. They are text columns of the data set, or
            languages in its `translation` column. With a comma, `DATA[:CONFIG]#TEXT,LABEL`, they
            are a column of texts and one of labels: names of classes, text, whole numbers or truth
            values.
        train_size: Most training pairs to keep, the first ones; None keeps all.

    Returns:
        The corpus. The splits `validation` (or `valid`, `val`, `dev`) and `test` are taken out of
        the training pairs where the data set has none, or has no label in them.

    Raises:
        InputError: If the library is missing, or the name, the data set or its columns will not do.
    """
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise InputError(
            f"hub:{name}: expected hub:DATA[:CONFIG]#SOURCE-TARGET or hub:DATA[:CONFIG]#TEXT,LABEL"
        )
    splits = _load(parts["data"], parts["config"])
    if "train" not in splits:
        raise InputError(f"hub:{name}: no train split; there is {', '.join(splits)}")
    valid = next((split for split in _VALID_SPLITS if split in splits), None)

    def read(split: str | None) -> list[Pair] | None:
        if split is None or split not in splits:
            return None
        where = f"hub:{name}, split {split}"
        if parts["label"] is None:
            rows = _rows(splits[split], parts["source"], parts["target"], where)
            return pair_up(rows, where, unit="row")
        labelled = list(_labelled_rows(splits[split], parts["text"], parts["label"], where))
        if split != "train" and not any(label for *_, label in labelled):
            return None  # benchmarks keep the labels of their test texts to themselves
        return pair_up(labelled, where, unit="row", sides=SIDES)

    return build_corpus(
        f"hub:{name}", read("train") or [], read(valid), read("test"), train_size=train_size
    )


def _load(data: str, config: str | None) -> Mapping[str, Any]:
    """Return the splits of a data set by name."""
    try:
        import datasets
    except ImportError as error:
        raise InputError(
            f"hub:{data} needs the datasets library: pip install 'rlattn[hub]'"
        ) from error
    folder = Path(data)
    try:
        if (folder / "dataset_dict.json").is_file() or (folder / "dataset_info.json").is_file():
            loaded = datasets.load_from_disk(data)
        else:
            loaded = datasets.load_dataset(data, config)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"hub:{data}: cannot be loaded: {reason}") from error
    return loaded if isinstance(loaded, Mapping) else {"train": loaded}


def _rows(split: Any, source: str, target: str, where: str) -> Rows:
    """Yield number, source and target text of each row; a missing text is an empty one."""
    columns = split.column_names
    if source in columns and target in columns:
        for number, row in enumerate(split.select_columns([source, target]), start=1):
            yield number, row[source] or "", row[target] or ""
        return
    if "translation" not in columns:
        raise InputError(
            f"{where}: no columns {source} and {target}; there is {', '.join(columns)}"
        )
    for number, row in enumerate(split.select_columns(["translation"]), start=1):
        texts = row["translation"]
        if source not in texts or target not in texts:
            raise InputError(
                f"{where}: no languages {source} and {target}; there is {', '.join(texts)}"
            )
        yield number, texts[source] or "", texts[target] or ""


def _labelled_rows(split: Any, text: str, label: str, where: str) -> Rows:
    """Yield number, text and label of each row; what is missing is empty."""
    columns = list(columns_in(split.column_names, text, label, where))
    classes = getattr(split.features[label], "names", None)
    for number, row in enumerate(split.select_columns(columns), start=1):
        value = row[label]
        if classes is not None and value is not None:
            value = classes[value] if value >= 0 else None  # -1 where nobody has said
        here = f"{where}, row {number}"
        yield number, as_text(row[text], here), as_label(value, here)
