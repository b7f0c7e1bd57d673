"""Made-up steps of two lanes over a vocabulary of four tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rlattn.rewards import Step

STEERED = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4]])
NATIVE = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]])
"""Probabilities, `[lanes, vocabulary]`."""


def step(**changes: Any) -> Step:
    """A step that ends no sentence, unless told otherwise."""
    usual = {
        "token": torch.tensor([0, 3]),
        "logits": STEERED.log() + 3.0,
        "native_logits": NATIVE.log() - 1.0,
        "native_token": torch.tensor([1, 3]),
        "reference_token": torch.tensor([2, 1]),
        "reads_fraction": torch.tensor([0.5, 0.25]),
        "done": np.array([False, False]),
        "hypotheses": [],
        "references": [],
    }
    return Step(**{**usual, **changes})
