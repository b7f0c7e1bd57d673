"""Made-up steps of two lanes over a vocabulary of four tokens and a source of four positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from rlattn.rewards import Step, Texts

STEERED = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4]])
NATIVE = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]])
"""Probabilities, `[lanes, vocabulary]`."""

MASK = torch.tensor([[True, True, True, True], [True, True, False, False]])
OPENED = torch.tensor([[True, False, True, False], [True, False, False, False]])


def texts(*pairs: tuple[str, str], lanes: Sequence[int] | None = None) -> Texts:
    """Hypotheses and references; of the first lanes, unless told otherwise."""
    which = np.arange(len(pairs)) if lanes is None else np.array(lanes)
    hypotheses, references = ([pair[side] for pair in pairs] for side in (0, 1))
    return Texts(which, [f"source {lane}" for lane in which], hypotheses, references)


def step(**changes: Any) -> Step:
    """The second step of sentences that go on, unless told otherwise; everything is given."""
    attention = OPENED / OPENED.sum(-1, keepdim=True)
    usual = {
        "token": torch.tensor([0, 3]),
        "logits": STEERED.log() + 3.0,
        "age": torch.tensor([2, 2]),
        "done": torch.tensor([False, False]),
        "mask": MASK,
        "opened": OPENED,
        "attention": attention,
        "coverage": 2 * attention,
        "native_logits": NATIVE.log() - 1.0,
        "native_token": torch.tensor([1, 3]),
        "reference_token": torch.tensor([2, 1]),
        "label": torch.tensor([2, 1]),
        "finished": texts(),
        "partial": texts(("a", "a b"), ("c", "d")),
    }
    return Step(**{**usual, **changes})


def last(*pairs: tuple[str, str]) -> Step:
    """A step at which every lane's sentence ends."""
    return step(done=torch.tensor([True, True]), finished=texts(*pairs), partial=texts(*pairs))
