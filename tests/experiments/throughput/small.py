"""A workload of moments: the tiniest host and short sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from rlattn.experiments.throughput.settings import Config
from rlattn.experiments.throughput.workload import Workload, prepare

TINY = Config(size="tiny", source_length=6, lanes=(2, 3), rounds=1, seconds=1e-3, quick=True)


def workload(folder: Path, **changes: Any) -> Workload:
    """What `TINY` measures on."""
    return prepare(replace(TINY, **changes), folder)
