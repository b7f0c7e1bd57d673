"""Training an encoder-decoder by gradient, within a budget of steps or minutes.

The Transformer of Vaswani et al. (2017), "Attention Is All You Need", with Adam (Kingma and Ba,
2015), label smoothing (Szegedy et al., 2016) and bfloat16 products where the hardware has them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from transformers import MarianMTModel

from rlattn.errors import RlattnError
from rlattn.hosts.batches import Batch
from rlattn.hosts.config import BuiltinConfig

_MOST_BAD_STEPS = 20
_SMOOTHING = 0.98
_LONG = 300  # source positions from which the fused attention is the faster one on a CPU


class Training(NamedTuple):
    """What a training took and came to.

    Attributes:
        steps: Optimizer steps.
        seconds: Wall-clock time.
        loss: Label-smoothed cross-entropy in nats per target token, averaged over the last steps.
    """

    steps: int
    seconds: float
    loss: float


class Budget:
    """How much of the allowed steps and minutes is used; the clock runs from the beginning.

    Args:
        config: Has the limits.
    """

    def __init__(self, config: BuiltinConfig) -> None:
        self._config, self._start = config, time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._start

    def used(self, steps: int) -> float:
        """Returns the fraction that is used after so many steps; from 1 on, nothing is left."""
        limits = self._config.max_steps, self._config.max_minutes
        spent = steps, self.seconds / 60
        return max(s / limit for s, limit in zip(spent, limits, strict=True) if limit is not None)


def fit(
    model: MarianMTModel,
    batches: Iterator[Batch],
    config: BuiltinConfig,
    budget: Budget,
    progress: bool = True,
) -> Training:
    """Trains a model in place until the budget is used up, and leaves it in evaluation mode.

    Args:
        model: What to train, on the device to train on.
        batches: Batches without end.
        config: Learning rate, its warm-up and the label smoothing.
        budget: When to end.
        progress: Whether to draw a progress bar on the terminal.

    Returns:
        What it took.

    Raises:
        RlattnError: If the loss is not a finite number many times in a row.
    """
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), fused=True)
    model.train()
    steps, tokens, bad, mean = 0, 0, 0, 0.0
    with _bar(disable=not progress) as bar:
        task = bar.add_task("training the host", total=1.0, loss=0.0, speed=0.0)
        while (used := budget.used(steps)) < 1:
            rate = config.learning_rate * _schedule(used, config.warmup)
            optimizer.param_groups[0]["lr"] = rate
            batch = Batch(*(t.to(model.device) for t in next(batches)))
            model.set_attn_implementation("sdpa" if batch.sources.shape[1] > _LONG else "eager")
            loss = smoothed_loss(model, batch, config.label_smoothing, config.shift)
            value, steps = loss.item(), steps + 1
            bad = 0 if math.isfinite(value) else bad + 1
            if bad == _MOST_BAD_STEPS:
                raise RlattnError(
                    f"training the host diverged at step {steps}: the loss is {value}; "
                    f"try a lower learning rate than {config.learning_rate:g}"
                )
            if bad:
                continue
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            mean = value if not mean else _SMOOTHING * mean + (1 - _SMOOTHING) * value
            tokens += batch.targets.numel()
            bar.update(task, completed=used, loss=mean, speed=tokens / budget.seconds)
        bar.update(task, completed=1.0)
    model.eval()  # type: ignore[no-untyped-call]
    return Training(steps, budget.seconds, mean)


def smoothed_loss(
    model: MarianMTModel, batch: Batch, smoothing: float, shift: bool = False
) -> Tensor:
    """Returns the label-smoothed cross-entropy of a batch, the mean over its target tokens.

    Args:
        model: What is trained.
        batch: Sources and targets.
        smoothing: Share of the target probability that is spread over the vocabulary.
        shift: Whether each source stands at a random place among the model's positions.
    """
    pad, device = model.config.pad_token_id, model.device.type
    assert isinstance(pad, int)
    real, readable = batch.targets.ne(pad), batch.sources.ne(pad)
    read = {"input_ids": batch.sources}
    if shift:
        read = {"inputs_embeds": shifted(model, batch.sources, readable.sum(1))}
    with torch.autocast(device, torch.bfloat16, enabled=_fast_bfloat16(device)):
        states = model.model(
            **read,
            attention_mask=readable.long(),
            decoder_input_ids=F.pad(batch.targets[:, :-1], (1, 0), value=pad),
            use_cache=False,
        ).last_hidden_state
        logits = model.lm_head(states[real])
    return F.cross_entropy(logits.float(), batch.targets[real], label_smoothing=smoothing)


def shifted(model: MarianMTModel, sources: Tensor, lengths: Tensor) -> Tensor:
    """Returns embeddings that make the encoder see each source at a random place.

    A sinusoid means nothing to a model that has not met it. Short sources at random places meet all
    of them, in the spirit of Ruoss et al. (2023), "Randomized Positional Encodings Boost Length
    Generalization of Transformers", but without gaps, for neighbours are what attention looks for.

    Args:
        model: Whose embeddings; it will add the positions from 0 on.
        sources: Token ids, ``[pairs, source]``.
        lengths: Tokens of each source, ``[pairs]``.

    Returns:
        ``[pairs, source, d_model]``.
    """
    encoder = model.model.encoder
    table = encoder.embed_positions.weight
    free = len(table) - lengths[:, None] + 1
    place = (torch.rand(free.shape, device=free.device) * free).long()
    columns = torch.arange(sources.shape[1], device=sources.device)
    moved = table[(place + columns).clamp(max=len(table) - 1)]
    embedded: Tensor = encoder.embed_tokens(sources) * encoder.embed_scale
    embedded += moved - table[columns]
    return embedded


def _schedule(used: float, warmup: float) -> float:
    return used / warmup if used < warmup else (1 - used) / (1 - warmup)


@cache
def _fast_bfloat16(device: str) -> bool:
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return device == "cpu" and any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))


def _bar(disable: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  loss {task.fields[loss]:.3f}"),
        TextColumn("{task.fields[speed]:,.0f} tokens/s  left"),
        TimeRemainingColumn(),
        disable=disable,
    )
