"""The attention policy trained to point where native attention looks, and to keep the top of it.

DeepSeek's sparse attention has such an indexer (DeepSeek-AI, 2025, "DeepSeek-V3.2-Exp"): a small
network scores positions, learns from the attention of the model, and only the best are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from rlattn.actions import ActionFamily, MaskedDistribution, TopK
from rlattn.actions.distributions import PlackettLuce
from rlattn.agents.descent import descend
from rlattn.agents.lessons import GivenPrefix, Lesson, lessons
from rlattn.agents.record import as_trained
from rlattn.agents.teacher import walk
from rlattn.agents.validation import Validator
from rlattn.corpora import Pair
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.taped import TapedDecoder
from rlattn.policy import AttentionPolicy
from rlattn.steering import Allocation


@dataclass(frozen=True)
class IndexerSettings:
    """Settings of `learn_indexer`.

    Attributes:
        prefix: What is fed: the ``"reference"``, or the ``"host"``'s own greedy output.
        warm_up: Share of the steps that are native, before what the indexer keeps is all that is
            read.
        learning_rate: At the start; it falls linearly to a tenth.
        clip: The most that the norm of a gradient may be.
    """

    prefix: GivenPrefix = "host"
    warm_up: float = 0.3
    learning_rate: float = 2e-3
    clip: float = 1.0


def learn_indexer(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    policy: AttentionPolicy,
    settings: IndexerSettings | None = None,
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
    """Trains a policy in place to score positions as native attention, mean over layers and heads.

    The loss is the divergence (Kullback and Leibler, 1951) of the softmax of its scores from that
    attention, over all positions. No gradient goes through the host. After the warm-up each step is
    taken twice: under what the policy keeps, which is what it sees next time, and natively.

    Args:
        host: The frozen translator.
        pairs: What is learned from.
        policy: Of the family ``topk``, such as ``topk:30%``.
        settings: See there; the defaults when not given.
        steps: Environment steps, all lanes together.
        validator: Sees the policy before, now and then, and at the end; it keeps the best.
        every: Environment steps between two validations.
        lanes: Sentences in a batch, each of which is an update.
        max_source: Longer sources are cut, in tokens.
        max_target: Longer targets are cut, in tokens.
        seed: Fixes the order of the sentences.
        progress: Whether to draw a progress bar.

    Raises:
        InputError: If the family is another.
    """
    settings = settings or IndexerSettings()
    if not isinstance(policy.family, TopK):
        raise InputError(
            f"action {policy.family.spec}: an indexer keeps its top k: use topk:4, or a share of "
            "the source such as topk:30%"
        )

    def loss(lesson: Lesson, used: float) -> tuple[Tensor, int]:
        sparse = used >= settings.warm_up
        return divergence(host, lesson, policy, sparse=sparse), lesson.tokens

    def watch(env_steps: int) -> None:
        validator.validate(as_trained(policy, host, seed, env_steps), env_steps)

    descend(
        policy.parameters(),
        lessons(
            host,
            pairs,
            prefix=settings.prefix,
            lanes=lanes,
            max_source=max_source,
            max_target=max_target,
            seed=seed,
        ),
        loss,
        watch,
        learning_rate=settings.learning_rate,
        clip=settings.clip,
        steps=steps,
        every=every,
        seed=seed,
        progress=progress,
    )


def divergence(
    host: Seq2SeqHost, lesson: Lesson, policy: AttentionPolicy, *, sparse: bool
) -> Tensor:
    """How far a policy's scores are from native attention, in nats, summed over target tokens.

    Args:
        host: The frozen translator.
        lesson: The sentences.
        policy: Of the family ``topk``.
        sparse: Whether the steps read what the policy keeps, rather than everything.

    Returns:
        A scalar.
    """
    scored: list[Tensor] = []
    native = TapedDecoder(host, lesson.encoded, lesson.targets.shape[1]) if sparse else None

    def act(
        family: ActionFamily, distribution: MaskedDistribution, mask: Tensor
    ) -> Allocation | None:
        assert isinstance(distribution, PlackettLuce)
        scored.append(distribution.first)
        return family.allocation(distribution.mode(), mask) if sparse else None

    total = torch.zeros((), device=host.device)
    for step in walk(host, lesson, policy, act):
        looked = step.attention if native is None else native.step(step.fed).attention
        assert looked is not None
        # Zero where there is no attention, as on padding.
        total = total + (torch.xlogy(looked, looked) - looked * scored.pop()).sum()
    return total
