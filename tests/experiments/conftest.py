"""What the tests of the programs share."""

from __future__ import annotations

from typing import Any

import pytest

from rlattn.hosts import Seq2SeqHost
from tests.experiments.moods import write_moods
from tests.experiments.small import write_task


@pytest.fixture(scope="session")
def small(host: Seq2SeqHost, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a `Config` is to say of a small task."""
    return write_task(host, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def moods(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a `Config` is to say of a small task with labels."""
    return write_moods(tmp_path_factory.mktemp("moods"))
