"""Sentence scores of the finished translation, from sacreBLEU."""

from __future__ import annotations

from typing import ClassVar

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from rlattn.rewards.base import SentenceReward, register_reward


@register_reward
class Chrf(SentenceReward):
    """chrF2 of the sentence, from 0 to 1 (Popović, 2015)."""

    name: ClassVar[str] = "chrf"

    def __init__(self) -> None:
        self._metric = CHRF()

    def score(self, hypothesis: str, reference: str) -> float:
        """SacreBLEU's sentence chrF as a fraction of one."""
        return float(self._metric.sentence_score(hypothesis, [reference]).score) / 100


@register_reward
class Bleu(SentenceReward):
    """BLEU of the sentence with effective order, from 0 to 1 (Papineni et al., 2002)."""

    name: ClassVar[str] = "bleu"

    def __init__(self) -> None:
        self._metric = BLEU(effective_order=True)

    def score(self, hypothesis: str, reference: str) -> float:
        """SacreBLEU's sentence BLEU as a fraction of one."""
        return float(self._metric.sentence_score(hypothesis, [reference]).score) / 100
