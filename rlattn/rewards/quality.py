"""Sentence scores of the finished translation."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics.base import Metric
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.ter import TER

from rlattn.rewards.base import SentenceReward
from rlattn.rewards.chrf import sentence_chrf
from rlattn.rewards.registry import register_reward


@register_reward
class Chrf(SentenceReward):
    """chrF2 of the sentence, from 0 to 1 (Popović, 2015)."""

    name = "chrf"

    def score(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Sequence[float]:
        """The chrF of each sentence, counted together."""
        scores: list[float] = sentence_chrf(hypotheses, references).tolist()
        return scores


class _Sacrebleu(SentenceReward):
    """A metric of sacreBLEU, as a fraction of one."""

    _metric: Metric

    def score(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Sequence[float]:
        """What the metric gives each sentence by itself."""
        return [
            float(self._metric.sentence_score(hypothesis, [reference]).score) / 100
            for hypothesis, reference in zip(hypotheses, references, strict=True)
        ]


@register_reward
class Bleu(_Sacrebleu):
    """BLEU of the sentence with effective order, from 0 to 1 (Papineni et al., 2002)."""

    name = "bleu"

    def __init__(self) -> None:
        self._metric = BLEU(effective_order=True)


@register_reward
class Ter(_Sacrebleu):
    """Edits over words of the reference, 0 is perfect; give it a negative weight.

    The translation edit rate of Snover et al. (2006).
    """

    name = "ter"

    def __init__(self) -> None:
        self._metric = TER()


@register_reward
class Exact(SentenceReward):
    """One where the sentence is the reference, but for white space, and zero elsewhere."""

    name = "exact"

    def score(
        self, sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str]
    ) -> Sequence[float]:
        """One or zero for each sentence."""
        pairs = zip(hypotheses, references, strict=True)
        return [float(hypothesis.split() == reference.split()) for hypothesis, reference in pairs]
