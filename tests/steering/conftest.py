"""Fixtures: readers of every family, and one of the family that most tests can do with."""

from __future__ import annotations

import pytest
import torch
from transformers import PreTrainedModel

from tests.steering.readers import SUPPORTED, UNSUPPORTED, Reader, reader_of


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=SUPPORTED)
def reader(request: pytest.FixtureRequest) -> Reader:
    """A reader of every supported family in turn."""
    return reader_of(SUPPORTED[request.param]())


@pytest.fixture
def marian() -> Reader:
    return reader_of(SUPPORTED["Marian"]())


@pytest.fixture(params=UNSUPPORTED)
def unsupported(request: pytest.FixtureRequest) -> PreTrainedModel:
    return UNSUPPORTED[request.param]().eval()
