"""What comparisons can be about: translation, and classification."""

from __future__ import annotations

from pathlib import Path

from rlattn.experiments import classification, translation
from rlattn.experiments.compare.labels.judge import LabelJudge
from rlattn.experiments.compare.labels.methods import LABEL_METHODS
from rlattn.experiments.compare.labels.spaces import LABEL_SPACES
from rlattn.experiments.compare.labels.testing import label_test
from rlattn.experiments.compare.methods import METHODS
from rlattn.experiments.compare.problem import Problem
from rlattn.experiments.compare.settings import AnyConfig, LabelConfig
from rlattn.experiments.compare.spaces import SPACES
from rlattn.experiments.compare.translations import TranslationJudge, translate_test

TUNED = Path(__file__).with_name("tuned.json")
"""What `--tune` found on locale phrases; `noise`, which these do not know, has that of a budget."""

TRANSLATION = Problem(
    METHODS, translation.find_material, translate_test, TranslationJudge(), SPACES, TUNED
)
CLASSIFICATION = Problem(
    LABEL_METHODS, classification.find_material, label_test, LabelJudge(), LABEL_SPACES
)


def problem_of(config: AnyConfig) -> Problem:
    """What a comparison is about."""
    return CLASSIFICATION if isinstance(config, LabelConfig) else TRANSLATION
