"""A policy that reads for a classifier, trained by gradients through the frozen host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import Gate
from rlattn.agents.best import KeepsBest
from rlattn.agents.descent import descend
from rlattn.agents.label_lessons import LabelLesson, label_lessons
from rlattn.agents.record import as_trained
from rlattn.agents.relaxed import (
    bounded,
    check_costs,
    check_smooth,
    reads_price,
    relaxed,
)
from rlattn.corpora import Pair
from rlattn.hosts.classifier import ClassifierHost
from rlattn.observation import Observation, Observer, compact
from rlattn.policy import AttentionPolicy
from rlattn.reading import Reading, look
from rlattn.steering import Allocation


@dataclass(frozen=True)
class LabelGradientSettings:
    """Settings of `learn_label_gradient`.

    Attributes:
        reads_weight: What the reads count for, as in a reward: negative is a cost, in nats for all
            of a text. For gates.
        reads_target: In place of that weight: the price adapts until this fraction of a text is
            read, as `rlattn.rewards.weights.Target` has it.
        reads_price: With a target, the most that reads cost, and what they cost at first.
        temperature: Of relaxed gates.
        bound: The most that a gate is taken to change the loss of its text, in nats.
        noise: Whether actions other than gates are drawn in training, rather than the mean of their
            distribution.
        learning_rate: At the start; it falls linearly to a tenth.
        clip: The most that the norm of a gradient may be.
    """

    reads_weight: float = 0.0
    reads_target: float | None = None
    reads_price: float = 0.5
    temperature: float = 1.0
    bound: float = 1.0
    noise: bool = False
    learning_rate: float = 2e-3
    clip: float = 1.0


def learn_label_gradient(
    host: ClassifierHost[Any],
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: LabelGradientSettings | None = None,
    *,
    reading: Reading,
    steps: int,
    validator: KeepsBest[Any],
    every: int,
    lanes: int = 64,
    max_source: int = 64,
    seed: int = 0,
    progress: bool = True,
) -> None:
    """Trains a policy in place by the cross-entropy of labels, through the frozen host.

    Texts are read as in an environment: the policy sees what the host made of what it opened
    before, as data. Gates are drawn, and their gradient is that of relaxed ones (straight-through
    Gumbel; Jang et al., 2017), through what all steps opened together; elsewhere the mean of the
    distribution acts, and the last allocation has the gradient.

    Args:
        host: The frozen classifier.
        pairs: Texts and labels to learn from.
        policy: Its family is fitted to the host.
        settings: See there; the defaults when not given.
        reading: How texts are read.
        steps: Environment steps, all texts together; one step is one allocation.
        validator: Sees the policy before, now and then, and at the end; it keeps the best.
        every: Environment steps between two validations.
        lanes: Texts in a batch, each of which is an update.
        max_source: Longer texts are cut, in tokens.
        seed: Fixes the order of the texts, and the draws.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If the family's actions have no gradient, a cost of reads has nothing to act on,
            or the host does not know a label.
    """
    settings = settings or LabelGradientSettings()
    check_smooth(policy.family)
    check_costs(policy.family, settings.reads_weight, settings.reads_target)
    objective = _Objective(host, policy, reading, settings)

    def watch(env_steps: int) -> None:
        validator.validate(as_trained(policy, host, seed, env_steps, reading), env_steps)

    descend(
        policy.parameters(),
        label_lessons(host, pairs, lanes=lanes, max_source=max_source, seed=seed),
        lambda lesson, used: objective(lesson),
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
        self,
        host: ClassifierHost[Any],
        policy: AttentionPolicy,
        reading: Reading,
        settings: LabelGradientSettings,
    ) -> None:
        self._host, self._policy = host, policy
        self._reading, self._settings = reading, settings
        self._weight = reads_price(
            settings.reads_weight, settings.reads_target, settings.reads_price
        )

    def __call__(self, lesson: LabelLesson) -> tuple[Tensor, int]:
        """Cross-entropy and cost of the reads, summed over texts; and how many steps they took."""
        allocation, taken = self._walk(lesson)
        loss = torch.zeros((), device=self._host.device)
        if isinstance(self._policy.family, Gate):
            reads = allocation.values.sum(-1) / lesson.encoded.mask.sum(-1)
            loss = loss - self._weight.value * reads.sum()
            self._weight.finish(reads.detach().cpu().numpy(), np.ones(len(lesson)), "sentence")
            gates = bounded(allocation.values, self._settings.bound)
            allocation = Allocation("gate", gates)
        logits = self._host.classify(lesson.encoded, allocation)
        self._host.usage.backwards += len(lesson)
        return loss + F.cross_entropy(logits, lesson.label, reduction="sum"), taken

    def _walk(self, lesson: LabelLesson) -> tuple[Allocation, int]:
        """What is read at the end, with gradients to what the policy gave; and all steps to it."""
        host, policy, reading, encoded = self._host, self._policy, self._reading, lesson.encoded
        mask, labels = encoded.mask, len(host.labels)
        texts, width = mask.shape
        observer = Observer(texts, width, reading.d_state(labels), host.device)
        numbers = reading.numbers(labels).to(host.device)
        memory, keys = compact(encoded.memory[mask]), None
        live = torch.ones_like(lesson.label, dtype=torch.bool)
        known, shut, taken = torch.zeros_like(mask), torch.ones(mask.shape, device=mask.device), 0
        for step in range(reading.steps):
            observation = Observation(
                memory,
                token=numbers[step].expand(texts, -1),
                source=lesson.source if policy.family.reads_tokens else None,
                **observer.view(mask),
            )
            keys = policy.keys(observation) if keys is None else keys
            distribution, _ = policy(observation, keys)
            family = policy.family.on(observation.before)
            how = self._settings
            allocation = relaxed(
                family, distribution, mask, temperature=how.temperature, noise=how.noise
            )
            taken += int(live.sum())
            if isinstance(family, Gate):
                # Open is what any step opened.
                shut = shut * (1.0 - torch.where(live[:, None], allocation.values, 0.0))
                allocation = Allocation("gate", torch.where(mask, 1.0 - shut, 0.0))
            if step + 1 == reading.steps:
                break
            with torch.no_grad():
                opened = mask & live[:, None]
                if isinstance(family, Gate):
                    now = Allocation("gate", allocation.values > 0.5)
                    opened &= now.values
                else:
                    now = Allocation(allocation.mode, allocation.values.detach(), allocation.weight)
                seen = look(host, encoded, now, opened, known, reading)
                observer.record(seen.state, seen.attention, seen.new.float())
            known, live = seen.known, live & ~seen.stopped
            if not bool(live.any()):
                break
        return allocation, taken
