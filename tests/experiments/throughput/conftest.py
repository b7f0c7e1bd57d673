"""What the tests of the throughput program share."""

from __future__ import annotations

import pytest

from rlattn.experiments.throughput.workload import Workload
from tests.experiments.throughput.small import workload


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    """The tiniest host and short sentences."""
    return workload(tmp_path_factory.mktemp("tiny"))
