"""Rules to compare a learned policy with; they need no training."""

from __future__ import annotations

from rlattn.agents.rules.base import Rule, Seen
from rlattn.agents.rules.blind import Diagonal, Random, Uniform, length_ratio
from rlattn.agents.rules.mass import mass_for_reads
from rlattn.agents.rules.named import RULES, make_rule
from rlattn.agents.rules.sparse import Entmax15, Sparsemax
from rlattn.agents.rules.watching import Argmax, TopK, TopP
from rlattn.agents.rules.writing import translate_by_rule

__all__ = [
    "RULES",
    "Argmax",
    "Diagonal",
    "Entmax15",
    "Random",
    "Rule",
    "Seen",
    "Sparsemax",
    "TopK",
    "TopP",
    "Uniform",
    "length_ratio",
    "make_rule",
    "mass_for_reads",
    "translate_by_rule",
]
