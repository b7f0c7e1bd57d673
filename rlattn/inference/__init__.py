"""A trained policy at work: loaded from a folder, steering `model.generate()`."""

from __future__ import annotations

from rlattn.inference.alignment import Alignment
from rlattn.inference.hub import push_to_hub
from rlattn.inference.readings import Readings
from rlattn.inference.record import LabelScore, LabelScores, Score, Scores, Training
from rlattn.inference.sb3_zip import import_sb3
from rlattn.inference.session import native
from rlattn.inference.trace import Trace
from rlattn.inference.trained import TrainedPolicy, load
from rlattn.inference.translation import Translations, translate

__all__ = [
    "Alignment",
    "LabelScore",
    "LabelScores",
    "Readings",
    "Score",
    "Scores",
    "Trace",
    "TrainedPolicy",
    "Training",
    "Translations",
    "import_sb3",
    "load",
    "native",
    "push_to_hub",
    "translate",
]
