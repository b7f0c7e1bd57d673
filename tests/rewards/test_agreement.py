"""Agreement is how surely the native choice is still made."""

from __future__ import annotations

import pytest
import torch

from rlattn.rewards import Agreement
from tests.rewards.steps import step


def test_it_is_the_probability_of_the_native_choice() -> None:
    agreement = Agreement()(step(native_token=torch.tensor([1, 2])))
    assert agreement.tolist() == pytest.approx([0.25, 0.3])
