"""Agreement is how surely the native choice is still made."""

from __future__ import annotations

import pytest
import torch

from rlattn.rewards import Agreement
from tests.rewards.steps import step


def test_it_is_the_probability_of_the_native_choice() -> None:
    native = torch.tensor([[0.1, 0.6, 0.2, 0.1], [0.3, 0.3, 0.3, 0.1]]).log()
    native[1, 2] += 0.1
    agreement = Agreement()(step(native_log_probs=native))
    assert agreement.tolist() == pytest.approx([0.25, 0.3])
