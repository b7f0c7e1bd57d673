"""Adam (Kingma and Ba, 2015) within a budget of steps or minutes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from rlattn.errors import RlattnError

_MOST_BAD_STEPS = 20
_SMOOTHING = 0.98


class Limits(Protocol):
    """When a training ends: at whichever is used up first; None for no such limit."""

    @property
    def max_steps(self) -> int | None:
        """Budget in optimizer steps."""

    @property
    def max_minutes(self) -> float | None:
        """Budget in minutes of wall-clock time."""


class Rates(Limits, Protocol):
    """How fast a training learns until then."""

    @property
    def learning_rate(self) -> float:
        """Highest learning rate."""

    @property
    def warmup(self) -> float:
        """Fraction of the budget after which the highest learning rate is reached."""


class Training(NamedTuple):
    """What a training took and came to.

    Attributes:
        steps: Optimizer steps.
        seconds: Wall-clock time.
        loss: Cross-entropy in nats, averaged over the last steps: label-smoothed and per target
            token for a translator, per text for a classifier.
    """

    steps: int
    seconds: float
    loss: float


class Budget:
    """How much of the allowed steps and minutes is used; the clock runs from the beginning.

    Args:
        limits: What is allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits, self._start = limits, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._start

    def used(self, steps: int) -> float:
        """Returns the fraction that is used after so many steps; from 1 on, nothing is left."""
        limits = self._limits.max_steps, self._limits.max_minutes
        spent = steps, self.seconds / 60
        return max(s / limit for s, limit in zip(spent, limits, strict=True) if limit is not None)


def descend(
    parameters: Iterable[nn.Parameter],
    loss_of_next: Callable[[], tuple[Tensor, int]],
    rates: Rates,
    budget: Budget,
    what: str,
    progress: bool = True,
) -> Training:
    """Trains parameters in place until the budget is used up.

    Args:
        parameters: What to train.
        loss_of_next: Gives the loss of the next batch, and how many tokens were in it.
        rates: Learning rate and its warm-up.
        budget: When to end.
        what: What is trained, for the progress bar and messages.
        progress: Whether to draw a progress bar on the terminal.

    Returns:
        What it took.

    Raises:
        RlattnError: If the loss is not a finite number many times in a row.
    """
    weights = list(parameters)
    optimizer = torch.optim.Adam(weights, betas=(0.9, 0.98), fused=True)
    steps, tokens, bad, mean = 0, 0, 0, 0.0
    with _bar(disable=not progress) as bar:
        task = bar.add_task(f"training {what}", total=1.0, loss=0.0, speed=0.0)
        while (used := budget.used(steps)) < 1:
            optimizer.param_groups[0]["lr"] = rates.learning_rate * _schedule(used, rates.warmup)
            loss, count = loss_of_next()
            value, steps = loss.item(), steps + 1
            bad = 0 if math.isfinite(value) else bad + 1
            if bad == _MOST_BAD_STEPS:
                raise RlattnError(
                    f"training {what} diverged at step {steps}: the loss is {value}; "
                    f"try a lower learning rate than {rates.learning_rate:g}"
                )
            if bad:
                continue
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            mean = value if not mean else _SMOOTHING * mean + (1 - _SMOOTHING) * value
            tokens += count
            bar.update(task, completed=used, loss=mean, speed=tokens / budget.seconds)
        bar.update(task, completed=1.0)
    return Training(steps, budget.seconds, mean)


def _schedule(used: float, warmup: float) -> float:
    return used / warmup if used < warmup else (1 - used) / (1 - warmup)


def _bar(disable: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  loss {task.fields[loss]:.3f}"),
        TextColumn("{task.fields[speed]:,.0f} tokens/s  left"),
        TimeRemainingColumn(),
        disable=disable,
    )
