"""What watches a training run: validation, and the checkpoint that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback

from rlattn.agents.training import trained_policy
from rlattn.corpora import Pair
from rlattn.inference import TrainedPolicy, Translations


@dataclass(frozen=True)
class Point:
    """One point of the learning curve, on validation sentences, free-running and greedy.

    Attributes:
        env_steps: Environment steps so far.
        bleu: Corpus BLEU, 0 to 100.
        chrf: Corpus chrF, 0 to 100.
        reads_fraction: Mean over sentences of the mean over steps.
        score: What the kept checkpoint is chosen by; higher is better.
    """

    env_steps: int
    bleu: float
    chrf: float
    reads_fraction: float
    score: float


class Validation(BaseCallback):
    """Translates validation sentences now and then, and keeps the best policy.

    With a target of reads, the best is the one with the highest BLEU among those that meet it;
    before any does, the one that reads least. Without one, it is the one with the highest BLEU
    as a share of the native BLEU, plus the weight of the reads times the reads.

    Args:
        pairs: Validation sentences.
        native_bleu: What the host reaches on them unsteered.
        translate: Translates sentences under a policy.
        every: Environment steps between two validations.
        reads_target: The fraction of the source to read at most, or None.
        reads_weight: The weight of the reads in the reward, when there is no target.
    """

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        native_bleu: float,
        translate: Callable[[Sequence[str], TrainedPolicy], Translations],
        every: int,
        reads_target: float | None = None,
        reads_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self._pairs, self._native_bleu = pairs, native_bleu
        self._translate, self._every = translate, every
        self._target, self._weight = reads_target, reads_weight
        self._next = 0
        self.curve: list[Point] = []
        self.best: Point | None = None
        self._best_policy: TrainedPolicy | None = None

    @property
    def policy(self) -> TrainedPolicy:
        """The best policy so far."""
        if self._best_policy is None:
            raise RuntimeError("nothing was validated yet")
        return self._best_policy

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        if self.num_timesteps >= self._next:
            self.validate()
            self._next = self.num_timesteps + self._every

    def _on_training_end(self) -> None:
        if not self.curve or self.curve[-1].env_steps < self.num_timesteps:
            self.validate()
            self.logger.record("time/total_timesteps", self.num_timesteps)
            self.logger.dump(self.num_timesteps)

    def validate(self) -> None:
        """Adds a point to the curve, and keeps the policy if it is the best so far."""
        assert isinstance(self.model, PPO)
        policy = trained_policy(self.model)
        output = self._translate([pair.source for pair in self._pairs], policy)
        references = [[pair.target for pair in self._pairs]]
        bleu = BLEU().corpus_score(output.texts, references).score
        chrf = CHRF().corpus_score(output.texts, references).score
        reads = float(np.mean(output.reads_fraction))
        point = Point(self.num_timesteps, bleu, chrf, reads, self._score(bleu, reads))
        self.curve.append(point)
        if self.best is None or point.score > self.best.score:
            self.best, self._best_policy = point, policy
        for name, value in (("bleu", bleu), ("chrf", chrf), ("reads_fraction", reads)):
            self.logger.record(f"valid/{name}", value)
        self.logger.record("valid/best_score", self.best.score)

    def _score(self, bleu: float, reads: float) -> float:
        if self._target is None:
            return bleu / max(self._native_bleu, 1e-9) + self._weight * reads
        return bleu if reads <= self._target else -100.0 * reads
