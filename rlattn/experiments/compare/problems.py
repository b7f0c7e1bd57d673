"""What comparisons can be about."""

from __future__ import annotations

from pathlib import Path

from rlattn.experiments import translation
from rlattn.experiments.compare.methods import METHODS
from rlattn.experiments.compare.problem import Problem
from rlattn.experiments.compare.settings import AnyConfig
from rlattn.experiments.compare.spaces import SPACES
from rlattn.experiments.compare.translations import TranslationJudge, translate_test

TUNED = Path(__file__).with_name("tuned.json")
"""What `--tune` found on locale phrases; `noise`, which these do not know, has that of a budget."""

TRANSLATION = Problem(
    METHODS, translation.find_material, translate_test, TranslationJudge(), SPACES, TUNED
)


def problem_of(config: AnyConfig) -> Problem:
    """What a comparison is about."""
    return TRANSLATION
