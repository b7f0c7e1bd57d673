"""A budget in words is steps or minutes."""

from __future__ import annotations

import pytest

from rlattn.errors import InputError
from rlattn.hosts.classifier import ClassifierConfig
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.settings import with_budget


@pytest.mark.parametrize("config", [BuiltinConfig(), ClassifierConfig()])
def test_a_budget_takes_the_place_of_the_default(config: object) -> None:
    assert with_budget(config, "") == config
    steps, minutes = with_budget(config, "300steps"), with_budget(config, "2.5min")
    assert (steps.max_steps, steps.max_minutes) == (300, None)
    assert (minutes.max_steps, minutes.max_minutes) == (None, 2.5)
    with pytest.raises(InputError, match="host builtin:soon: expected a budget"):
        with_budget(config, "soon")
