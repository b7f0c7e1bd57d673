"""Alignments with numbers that are made up."""

from __future__ import annotations

import numpy as np

from rlattn.inference import Alignment


def alignment(source: list[str], target: list[str], share: float = 0.4, seed: int = 0) -> Alignment:
    """A random alignment of which about a share is open, and at least one position a step."""
    rng = np.random.default_rng(seed)
    opened = rng.random((len(target), len(source))) < share
    opened[:, 0] |= ~opened.any(1)
    attention = rng.dirichlet(np.ones(len(source)), size=len(target)) * opened
    attention /= attention.sum(1, keepdims=True)
    return Alignment(source, target, attention, opened)


def words(count: int, letter: str = "w") -> list[str]:
    return [f"▁{letter}{i}" for i in range(count)]
