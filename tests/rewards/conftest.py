"""What tests of rewards share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rlattn.rewards import REWARDS


@pytest.fixture
def _registered_only_here() -> Iterator[None]:
    """Forgets what a test registers."""
    known = dict(REWARDS)
    yield
    REWARDS.clear()
    REWARDS.update(known)
