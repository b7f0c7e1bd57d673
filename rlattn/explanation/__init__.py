"""How faithful a rationale is to the classifier that it explains, and rankings to compare with.

A rationale is the part of a text's tokens that is to explain its label: what a policy opened, or
what a ranking puts first.
"""

from __future__ import annotations

from rlattn.explanation.faithfulness import (
    BINS,
    Faithfulness,
    aopc,
    faithfulness,
    faithfulness_by_name,
)
from rlattn.explanation.rankings import attention_scores, gradient_scores, random_scores
from rlattn.explanation.rationales import Rationale, Scores, top

__all__ = [
    "BINS",
    "Faithfulness",
    "Rationale",
    "Scores",
    "aopc",
    "attention_scores",
    "faithfulness",
    "faithfulness_by_name",
    "gradient_scores",
    "random_scores",
    "top",
]
