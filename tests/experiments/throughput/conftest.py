"""What the tests of the throughput program share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rlattn.experiments.throughput.texts import TextWorkload, prepare_texts
from rlattn.experiments.throughput.workload import Workload
from tests.experiments.throughput.small import TINY, workload


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """The tiniest host and short sentences."""
    return workload(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def texts(tmp_path_factory: pytest.TempPathFactory) -> TextWorkload:
    """The tiniest classifier and short texts."""
    return prepare_texts(
        replace(TINY, kind="classification"), tmp_path_factory.mktemp("tiny-texts")
    )
