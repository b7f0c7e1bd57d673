"""Action families: a space, a distribution on it, and its map to an allocation."""

from __future__ import annotations

from rlattn.actions.base import ActionFamily, Before, OpeningFamily
from rlattn.actions.bias import Bias
from rlattn.actions.distributions import (
    DiagonalGaussian,
    Joint,
    MaskedCategorical,
    MaskedDirichlet,
    MaskedDistribution,
    NonEmptyBernoulli,
    PlackettLuce,
)
from rlattn.actions.gate import Gate
from rlattn.actions.mix import Mix
from rlattn.actions.per_layer import PerLayer
from rlattn.actions.position import Position
from rlattn.actions.registry import FAMILIES, make_family, register_family
from rlattn.actions.sharpness import Sharpness
from rlattn.actions.simplex import Simplex
from rlattn.actions.topk import TopK
from rlattn.actions.window import Window

__all__ = [
    "FAMILIES",
    "ActionFamily",
    "Before",
    "Bias",
    "DiagonalGaussian",
    "Gate",
    "Joint",
    "MaskedCategorical",
    "MaskedDirichlet",
    "MaskedDistribution",
    "Mix",
    "NonEmptyBernoulli",
    "OpeningFamily",
    "PerLayer",
    "PlackettLuce",
    "Position",
    "Sharpness",
    "Simplex",
    "TopK",
    "Window",
    "make_family",
    "register_family",
]
