"""``progress.csv``: a line for each time that a training logs, in a file that is always whole."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

from stable_baselines3.common.logger import (
    Figure,
    FormatUnsupportedError,
    HParam,
    Image,
    KVWriter,
    Video,
    filter_excluded_keys,
)

from rlattn.storage.files import write_file

_NO_TEXT = {Figure: "figure", HParam: "hparam", Image: "image", Video: "video"}


class ProgressTable(KVWriter):
    """A CSV file with a column for each name that was ever logged, in order of their names.

    Stable-Baselines3's own changes its file in place when a new name comes, and puts names in
    another order in each process.

    Args:
        path: The file; it is replaced whenever something is logged.
        text: What stood in it before, which comes first.
    """

    def __init__(self, path: Path, text: str = "") -> None:
        self._path = path
        self._rows: list[dict[str, Any]] = list(csv.DictReader(StringIO(text)))
        self._save()

    def write(
        self,
        key_values: dict[str, Any],
        key_excluded: dict[str, tuple[str, ...]],
        step: int = 0,
    ) -> None:
        """Adds a line.

        Args:
            key_values: What was logged, by its name.
            key_excluded: Where each of it is not to be logged.
            step: Not used.

        Raises:
            OutputError: If the file cannot be written; what it held stays.
        """
        row = filter_excluded_keys(key_values, key_excluded, "csv")
        for value in row.values():
            if (kind := _NO_TEXT.get(type(value))) is not None:
                raise FormatUnsupportedError(["csv"], kind)
        self._rows.append(row)
        self._save()

    def close(self) -> None:
        """Does nothing: all that was logged is on the disk."""

    def _save(self) -> None:
        file = StringIO()
        names = sorted({name for row in self._rows for name in row})
        writer = csv.DictWriter(file, names, lineterminator="\n")
        if names:
            writer.writeheader()
        writer.writerows(self._rows)
        write_file(self._path, file.getvalue())
