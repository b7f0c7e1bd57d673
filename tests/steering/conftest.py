"""Fixtures: readers of a few families, and one of the family that most tests can do with."""

from __future__ import annotations

import pytest
import torch

from tests.steering.readers import SUPPORTED, Reader, reader_of


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.fixture(params=["Marian", "T5", "Whisper", "BERT2BERT"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Readers that differ in what an allocation meets; `test_models.py` has every family."""
    return reader_of(SUPPORTED[request.param]())


@pytest.fixture
def marian() -> Reader:
    return reader_of(SUPPORTED["Marian"]())
