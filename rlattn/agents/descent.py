"""The loop of learners that go down a gradient, batch after batch of sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from rlattn.agents.allocator import keep_freed_memory

Batch = TypeVar("Batch")
"""What is learned from at a time."""


def descend(
    parameters: Iterable[Tensor],
    lessons: Iterator[Batch],
    loss: Callable[[Batch, float], tuple[Tensor, int]],
    watch: Callable[[int], object],
    *,
    learning_rate: float,
    clip: float,
    steps: int,
    every: int,
    seed: int,
    progress: bool,
) -> None:
    """Trains with Adam (Kingma and Ba, 2015); the learning rate falls linearly to a tenth.

    From the first call on, the process keeps the memory that it frees.

    Args:
        parameters: What is trained.
        lessons: What is learned from, without end.
        loss: What a lesson costs when a share of the steps is taken, summed over its environment
            steps, a scalar, and how many of these it has; gradients are those of the mean.
        watch: Told of the steps so far: before the first, about every `every` steps, and at the
            end.
        learning_rate: At the start.
        clip: The most that the norm of a gradient may be; longer ones are shortened.
        steps: Environment steps, all lanes together; the lesson that reaches them is the last.
        every: Environment steps between two calls of `watch`.
        seed: Seeds torch.
        progress: Whether to draw a progress bar.
    """
    keep_freed_memory()
    torch.manual_seed(seed)
    trained = list(parameters)
    optimizer = torch.optim.Adam(trained, lr=learning_rate)
    taken, following = 0, every
    watch(taken)
    with tqdm(total=steps, disable=not progress, unit="step") as bar:
        while taken < steps:
            used = taken / steps
            optimizer.param_groups[0]["lr"] = learning_rate * (1 - 0.9 * used)
            optimizer.zero_grad()
            total, count = loss(next(lessons), used)
            total.backward()  # type: ignore[no-untyped-call]
            for parameter in trained:
                if parameter.grad is not None:
                    parameter.grad /= count
            torch.nn.utils.clip_grad_norm_(trained, clip)
            optimizer.step()
            taken += count
            bar.update(count)
            if taken >= following or taken >= steps:
                watch(taken)
                following = taken + every
