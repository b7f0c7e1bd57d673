"""Distributions over actions, exact under the source mask, for families to build on."""

from __future__ import annotations

from rlattn.actions.distributions.base import MaskedDistribution
from rlattn.actions.distributions.bernoulli import NonEmptyBernoulli
from rlattn.actions.distributions.categorical import MaskedCategorical, masked_log_softmax
from rlattn.actions.distributions.dirichlet import MaskedDirichlet, shares
from rlattn.actions.distributions.gaussian import DiagonalGaussian
from rlattn.actions.distributions.joint import Joint
from rlattn.actions.distributions.plackett_luce import PlackettLuce

__all__ = [
    "DiagonalGaussian",
    "Joint",
    "MaskedCategorical",
    "MaskedDirichlet",
    "MaskedDistribution",
    "NonEmptyBernoulli",
    "PlackettLuce",
    "masked_log_softmax",
    "shares",
]
