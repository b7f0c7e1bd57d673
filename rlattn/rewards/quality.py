"""Sentence scores of the finished translation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sacrebleu.metrics.bleu import BLEU

from rlattn.rewards.base import SentenceReward, register_reward
from rlattn.rewards.chrf import sentence_chrf


@register_reward
class Chrf(SentenceReward):
    """chrF2 of the sentence, from 0 to 1 (Popović, 2015)."""

    name: ClassVar[str] = "chrf"

    def score(self, hypothesis: str, reference: str) -> float:
        """The chrF of one sentence."""
        return float(sentence_chrf([hypothesis], [reference])[0])

    def scores(self, hypotheses: Sequence[str], references: Sequence[str]) -> Sequence[float]:
        """The chrF of some sentences, counted together."""
        scores: list[float] = sentence_chrf(hypotheses, references).tolist()
        return scores


@register_reward
class Bleu(SentenceReward):
    """BLEU of the sentence with effective order, from 0 to 1 (Papineni et al., 2002)."""

    name: ClassVar[str] = "bleu"

    def __init__(self) -> None:
        self._metric = BLEU(effective_order=True)

    def score(self, hypothesis: str, reference: str) -> float:
        """SacreBLEU's sentence BLEU as a fraction of one."""
        return float(self._metric.sentence_score(hypothesis, [reference]).score) / 100
