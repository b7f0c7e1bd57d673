"""Plain `model.generate()`, and the same under a policy that keeps to a budget."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from rlattn.experiments.provenance import Identity
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.synthetic import SIZES, SizeName, random_model
from rlattn.hosts.fingerprint import fingerprint
from rlattn.inference import TrainedPolicy
from rlattn.policy import AttentionPolicy, PolicyConfig

PLAIN = "plain"
"""The contestant without a policy."""

ACTIONS = ("gate", "gate:16", "topk")
"""The action families that keep to a budget, by what they are called here."""

_FITTINGS = 10
_CLOSE = 0.03
"""How far a policy may be off its budget, as a share of it."""


@dataclass(frozen=True)
class Task:
    """What is to be written, from what.

    Attributes:
        source: Length of each source, in tokens.
        batch: How many sources there are.
        budget: The share of the positions that a policy reads.
        tokens: How many tokens are written for each source.
        size: The host's.
        seed: Fixes host, policy and sources.
    """

    source: int
    batch: int
    budget: float
    tokens: int
    size: SizeName
    seed: int


@dataclass(frozen=True)
class Fit:
    """How a contestant keeps to a budget.

    Attributes:
        reads: The share of the positions that it reads.
        bias: What it adds to its scores, so that it does.
    """

    reads: float
    bias: float = 0.0


@torch.no_grad()
def fit(task: Task, contestant: str) -> Fit:
    """Shifts the log-odds of gates until their share that is open is close to the budget.

    Args:
        task: What is written meanwhile.
        contestant: `PLAIN`, which reads everything, or one of `ACTIONS`.
    """
    if contestant == PLAIN:
        return Fit(1.0)
    model, memory = _model(task.size, task.seed), _memory(task)
    policy = _policy(model, task, contestant)
    score, seen, reads = policy.policy.score, [], 0.0
    hook = score.register_forward_hook(lambda module, args, output: seen.append(output.flatten()))
    for fitting in range(_FITTINGS):
        with policy.steer(model) as trace:
            _generate(model, memory, task.tokens)
        reads = float(trace.reads_fraction.mean())
        if abs(reads - task.budget) <= _CLOSE * task.budget:
            break
        # Where it looked decides where it looks next: one shift is not enough, and whole ones
        # may swing to and fro.
        scores = torch.cat(seen)
        open_ones = max(1, round(task.budget * len(scores)))
        shift = scores.kthvalue(len(scores) - open_ones + 1).values
        score.bias.sub_(shift if not fitting else shift / 2)
        seen.clear()
    hook.remove()
    return Fit(reads, float(score.bias))


def writer(task: Task, contestant: str, fitted: Fit) -> Contestant:
    """A contestant that writes a task; its unit of work is a token.

    Args:
        task: What it writes.
        contestant: `PLAIN` or one of `ACTIONS`.
        fitted: What `fit` found for it.
    """
    model, memory = _model(task.size, task.seed), _memory(task)
    context: Callable[[], AbstractContextManager[Any]] = nullcontext
    if contestant != PLAIN:
        policy = _policy(model, task, contestant)
        nn.init.constant_(policy.policy.score.bias, fitted.bias)
        context = lambda: policy.steer(model)  # noqa: E731

    def write() -> int:
        with context():
            return _generate(model, memory, task.tokens)

    return Contestant(write, warm_up=write)


def identity(task: Task) -> Identity:
    """What the host of a task is known by."""
    return Identity(f"random {task.size}", fingerprint(_model(task.size, task.seed)))


@cache
def _model(size: SizeName, seed: int) -> PreTrainedModel:
    shape = SIZES[size]
    # As many words as models of the OPUS-MT project have, cut to an eighth.
    return random_model(replace(shape, vocabulary=8000) if size == "large" else shape, seed)


def _memory(task: Task) -> Tensor:
    """What an encoder could have made: rows of unit variance."""
    generator = torch.Generator().manual_seed(task.seed)
    return torch.randn(task.batch, task.source, SIZES[task.size].d_model, generator=generator)


def _generate(model: Any, memory: Tensor, tokens: int) -> int:
    written: Tensor = model.generate(
        encoder_outputs=BaseModelOutput(memory),
        attention_mask=torch.ones(memory.shape[:2], dtype=torch.long),
        max_new_tokens=tokens,
        min_new_tokens=tokens,
        num_beams=1,
        do_sample=False,
    )
    return written[:, 1:].numel()


def _policy(model: PreTrainedModel, task: Task, action: str) -> TrainedPolicy:
    width = SIZES[task.size].d_model
    spec = f"topk:{max(1, round(task.budget * task.source))}" if action == "topk" else action
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        network = AttentionPolicy(PolicyConfig(spec, width, width))
    with torch.no_grad():
        network.score.weight.mul_(10.0)  # Strong opinions, of which some change at every step.
    return TrainedPolicy(network, "random", fingerprint(model))
