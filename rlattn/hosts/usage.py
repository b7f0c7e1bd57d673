"""How much work a host has done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Usage:
    """Counts of a host's work since it was loaded; `generate()` is not counted.

    Attributes:
        encoded: Sources that its encoder read.
        forwards: Target tokens that its decoder was fed: a step of 64 lanes counts 64. Of a
            classifier: texts that it labelled or looked at.
        backwards: How many of these a gradient went back through.
    """

    encoded: int = 0
    forwards: int = 0
    backwards: int = 0
