"""Plain and steered `model.generate()`, writing the same number of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import cycle

import torch
from torch import Tensor

from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.workload import Batch, Workload
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from rlattn.inference import TrainedPolicy
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.steering import Allocation, steer

BEAMS = 4

_Context = Callable[[], AbstractContextManager[object]]


def generate(host: Seq2SeqHost, batch: Batch, beams: int = 1) -> Tensor:
    """What ``generate()`` writes in exactly `batch.steps` tokens, after the start token.

    Args:
        host: The frozen model.
        batch: The sentences.
        beams: How many hypotheses it follows.

    Returns:
        Token ids, ``[rows, batch.steps]``.
    """
    ids, mask = (t.to(host.device) for t in pad(batch.sources, host.pad_token))
    written: Tensor = host.model.generate(
        input_ids=ids,
        attention_mask=mask.long(),
        max_new_tokens=batch.steps,
        min_new_tokens=batch.steps,
        num_beams=beams,
        do_sample=False,
    )
    return written[:, 1:]


def plain(workload: Workload, batches: Sequence[Batch], beams: int = 1) -> Contestant:
    """`generate()` as it is."""
    return _generating(workload.host, batches, beams, [nullcontext] * len(batches))


def steered(workload: Workload, batches: Sequence[Batch], beams: int = 1) -> Contestant:
    """The same under a random gate for each sentence, which all of its beams share."""
    host = workload.host
    generator = torch.Generator().manual_seed(workload.seed)
    contexts: list[_Context] = []
    for batch in batches:
        mask = pad(batch.sources, host.pad_token)[1]
        gate = torch.rand(mask.shape, generator=generator) < 0.5
        gate[:, 0] = True  # something stays open
        rows = (gate & mask).repeat_interleave(beams, dim=0).to(host.device)
        contexts.append(partial(steer, host.model, Allocation("gate", rows)))
    return _generating(host, batches, beams, contexts)


def under_policy(workload: Workload, batches: Sequence[Batch]) -> Contestant:
    """Greedy `generate()` under a policy that has learned nothing yet."""
    host = workload.host
    network = AttentionPolicy(PolicyConfig("gate", host.d_model, host.d_state)).to(host.device)
    policy = TrainedPolicy(network, host.name, host.fingerprint)
    return _generating(host, batches, 1, [partial(policy.steer, host.model)] * len(batches))


def _generating(
    host: Seq2SeqHost, batches: Sequence[Batch], beams: int, contexts: Sequence[_Context]
) -> Contestant:
    def write(batch: Batch, context: _Context) -> int:
        with context():
            return generate(host, batch, beams).numel()

    turn = cycle(zip(batches, contexts, strict=True))
    return Contestant(
        work=lambda: write(*next(turn)),
        pieces=len(batches),
        warm_up=lambda: write(batches[0].start(2), contexts[0]),
    )
