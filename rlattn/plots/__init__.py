"""The pictures of a run.

Figures are built directly, without pyplot: no back end is chosen and no global state is touched.
"""

from __future__ import annotations

from rlattn.experiments.figures.attention import AttentionExample, draw_attention
from rlattn.experiments.figures.curves import draw_curves

__all__ = ["AttentionExample", "draw_attention", "draw_curves"]
