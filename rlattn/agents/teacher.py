"""A policy taken along given targets, step by step: what it sees, does, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rlattn.actions import ActionFamily, MaskedDistribution
from rlattn.agents.lessons import Lesson
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.taped import TapedDecoder
from rlattn.observation import Observation, Observer, compact
from rlattn.policy import AttentionPolicy
from rlattn.steering import Allocation

Act = Callable[[ActionFamily, MaskedDistribution, Tensor], Allocation | None]
"""What is done at a step: from the family on the lanes at hand, the policy's distribution, and the
mask of real source tokens ``[lanes, source]``; None leaves attention native."""


class Taught(NamedTuple):
    """One step of the lanes whose targets go on.

    Attributes:
        fed: The tokens that were fed, ``[lanes]``.
        target: The tokens that come next, ``[lanes]``.
        logits: What the host gave for them, float32 or wider, ``[lanes, vocabulary]``.
        attention: Where it looked, mean over layers and heads, detached, ``[lanes, source]``.
    """

    fed: Tensor
    target: Tensor
    logits: Tensor
    attention: Tensor


def walk(
    host: Seq2SeqHost,
    lesson: Lesson,
    policy: AttentionPolicy,
    act: Act,
    *,
    through_time: bool = True,
) -> Iterator[Taught]:
    """Steps along the targets under a policy; gradients flow from the logits to what it gave.

    What the policy sees is data, as it is to RL: no gradient flows through observations.

    Args:
        host: The frozen translator.
        lesson: The sentences.
        policy: Sees what it would see in an environment with this prefix.
        act: What is done.
        through_time: Whether gradients go back to earlier steps, through the self-attention.

    Yields:
        Each step, of fewer and fewer lanes.
    """
    mask, lanes = lesson.encoded.mask, len(lesson.lengths)
    decoder = TapedDecoder(host, lesson.encoded, lesson.targets.shape[1], through_time=through_time)
    observer = Observer(lanes, mask.shape[1], host.d_state, host.device)
    memory, ends = compact(lesson.encoded.memory[mask]), mask.sum(-1).cumsum(0).tolist()
    fed = torch.full((lanes,), host.start_token, device=host.device)
    source, all_keys = lesson.source, None
    for step in range(lesson.targets.shape[1]):
        live = lesson.live(step)
        here = torch.arange(lanes, device=mask.device) < live
        # As it was while no lane stops: sentences of sources that are known are not looked up.
        source = source if len(source) == live else source[:live]
        observation = Observation(
            memory[: ends[live - 1]],
            token=host.embed_tokens(fed[:live]).float(),
            source=source if policy.family.reads_tokens else None,
            **observer.view(mask, None if live == lanes else here),
        )
        if all_keys is None:
            all_keys = keys = policy.keys(observation)
        elif len(keys.units.mask) != live:
            keys = all_keys.on(here)
        distribution, _ = policy(observation, keys)
        family = policy.family.on(observation.before)
        output = decoder.step(fed[:live], act(family, distribution, observation.mask))
        assert output.attention is not None
        stopped = (0, 0, 0, lanes - live)
        observer.record(F.pad(output.hidden.detach(), stopped), F.pad(output.attention, stopped))
        target, logits = lesson.targets[:live, step], output.logits
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        yield Taught(fed[:live], target, logits, output.attention)
        fed = target
