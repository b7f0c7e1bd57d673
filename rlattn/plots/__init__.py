"""Pictures and pages of what was read.

Figures are built directly, without pyplot: no back end is chosen and no global state is touched.
Save one with ``figure.savefig(...)``; a notebook shows it after ``%matplotlib inline``.
"""

from __future__ import annotations

from rlattn.plots.attention import attention_map
from rlattn.plots.curves import learning_curves
from rlattn.plots.page import AttentionPage, attention_page
from rlattn.plots.quality import OperatingPoint, pareto_front, quality_against_reads
from rlattn.plots.rationales import rationales_page
from rlattn.plots.readings_page import ReadingsPage
from rlattn.plots.reads import reads_over_time

__all__ = [
    "AttentionPage",
    "OperatingPoint",
    "ReadingsPage",
    "attention_map",
    "attention_page",
    "learning_curves",
    "pareto_front",
    "quality_against_reads",
    "rationales_page",
    "reads_over_time",
]
