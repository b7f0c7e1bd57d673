"""The attention policy trained by gradients through the frozen host: what RL is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import ActionFamily, Gate, MaskedDistribution
from rlattn.agents.descent import descend
from rlattn.agents.lessons import GivenPrefix, Lesson, lessons
from rlattn.agents.record import as_trained
from rlattn.agents.relaxed import (
    bounded,
    check_costs,
    check_smooth,
    reads_price,
    relaxed,
)
from rlattn.agents.teacher import walk
from rlattn.agents.validation import Validator
from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost
from rlattn.policy import AttentionPolicy
from rlattn.steering import Allocation


@dataclass(frozen=True)
class GradientSettings:
    """Settings of `learn_gradient`.

    Attributes:
        loss: ``"reference"``, the cross-entropy of the reference's tokens along the reference; or
            ``"agreement"``, that of the host's own choices along its own greedy output.
        reads_weight: What the reads count for, as in a reward: negative is a cost, in nats a token
            for all of the source. For gates.
        reads_target: In place of that weight: the price adapts until this fraction of the source is
            read, as `rlattn.rewards.weights.Target` has it.
        reads_price: With a target, the most that reads cost, and what they cost at first.
        temperature: Of relaxed gates.
        bound: The most that a gate is taken to change the loss of its step, in nats. Beside what
            little is open, the derivative of one that is shut promises far more than there is.
        noise: Whether actions other than gates are drawn in training, rather than the mean of their
            distribution.
        through_time: Whether a step's loss also teaches the steps before it, through the host's
            self-attention.
        learning_rate: At the start; it falls linearly to a tenth.
        clip: The most that the norm of a gradient may be.
    """

    loss: Literal["reference", "agreement"] = "reference"
    reads_weight: float = 0.0
    reads_target: float | None = None
    reads_price: float = 0.5
    temperature: float = 1.0
    bound: float = 1.0
    noise: bool = False
    through_time: bool = False
    learning_rate: float = 2e-3
    clip: float = 1.0


def learn_gradient(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: GradientSettings | None = None,
    *,
    steps: int,
    validator: Validator,
    every: int,
    lanes: int = 16,
    max_source: int = 64,
    max_target: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> None:
    """Trains a policy in place by back-propagation through the frozen host, along given targets.

    Gates are drawn, and their gradient is that of relaxed ones (straight-through Gumbel; Jang et
    al., 2017). Elsewhere the mean of the distribution acts.

    Args:
        host: The frozen translator.
        pairs: What is learned from.
        policy: Its family is fitted to the host.
        settings: See there; the defaults when not given.
        steps: Environment steps, all lanes together.
        validator: Sees the policy before, now and then, and at the end; it keeps the best.
        every: Environment steps between two validations.
        lanes: Sentences in a batch, each of which is an update.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        seed: Fixes the order of the sentences, and the draws.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If the family's actions have no gradient, or a cost of reads has nothing to
            act on.
    """
    settings = settings or GradientSettings()
    check_smooth(policy.family)
    check_costs(policy.family, settings.reads_weight, settings.reads_target)
    prefix: GivenPrefix = "host" if settings.loss == "agreement" else "reference"
    objective = _Objective(host, policy, settings)

    def watch(env_steps: int) -> None:
        validator.validate(as_trained(policy, host, seed, env_steps), env_steps)

    descend(
        policy.parameters(),
        lessons(
            host,
            pairs,
            prefix=prefix,
            lanes=lanes,
            max_source=max_source,
            max_target=max_target,
            seed=seed,
        ),
        lambda lesson, used: (objective(lesson), lesson.tokens),
        watch,
        learning_rate=settings.learning_rate,
        clip=settings.clip,
        steps=steps,
        every=every,
        seed=seed,
        progress=progress,
    )


class _Objective:
    """The loss of a lesson; the price of the reads adapts to what was read."""

    def __init__(
        self, host: Seq2SeqHost, policy: AttentionPolicy, settings: GradientSettings
    ) -> None:
        self._host, self._policy, self._settings = host, policy, settings
        self._weight = reads_price(
            settings.reads_weight, settings.reads_target, settings.reads_price
        )
        self._reads: list[Tensor] = []

    def __call__(self, lesson: Lesson) -> Tensor:
        """Cross-entropy and cost of the reads, summed over target tokens."""
        self._reads.clear()
        surprise = [
            F.cross_entropy(step.logits, step.target, reduction="sum")
            for step in walk(
                self._host,
                lesson,
                self._policy,
                self._act,
                through_time=self._settings.through_time,
            )
        ]
        self._host.usage.backwards += lesson.tokens
        loss = torch.stack(surprise).sum()
        if self._reads:
            loss = loss - self._weight.value * torch.cat(self._reads).sum()
        sums = np.zeros(len(lesson.lengths))
        for step in self._reads:
            sums[: len(step)] += step.detach().cpu().numpy()
        self._weight.finish(sums, lesson.lengths)
        return loss

    def _act(
        self, family: ActionFamily, distribution: MaskedDistribution, mask: Tensor
    ) -> Allocation:
        how = self._settings
        allocation = relaxed(
            family, distribution, mask, temperature=how.temperature, noise=how.noise
        )
        if not isinstance(family, Gate):
            return allocation
        self._reads.append(allocation.values.sum(-1) / mask.sum(-1))
        # Not the reads' part of it.
        return replace(allocation, values=bounded(allocation.values, how.bound))
