"""The yardsticks of classification: forwards of the frozen host, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn

from rlattn.envs.queue import AHEAD
from rlattn.experiments.throughput import rates
from rlattn.experiments.throughput.measure import Contestant
from rlattn.experiments.throughput.texts import TextWorkload


def bare(workload: TextWorkload, lanes: int) -> Contestant:
    """The very forwards that an environment asks its host for, once more: of what is open alone.

    Args:
        workload: What it runs on.
        lanes: How many texts advance together.
    """
    return _labelling(workload.host.model, recorded(workload, lanes))


def whole(workload: TextWorkload, lanes: int) -> Contestant:
    """Forwards of whole texts, those of like length together.

    Args:
        workload: What it runs on.
        lanes: How many texts go together.
    """
    encoded = [workload.host.encode(batch) for batch in workload.batches(lanes)]
    inputs = [
        {"input_ids": texts.ids, "attention_mask": _valid(texts.special, texts.mask).long()}
        for texts in encoded
    ]
    return _labelling(workload.host.model, inputs)


def recorded(workload: TextWorkload, lanes: int) -> list[dict[str, Tensor]]:
    """What the host is given while the lanes of an environment take as many steps as they read of.

    Args:
        workload: What it runs on.
        lanes: How many texts advance together.
    """
    calls: list[dict[str, Tensor]] = []

    def note(model: nn.Module, given: tuple[Any, ...], named: dict[str, Tensor]) -> None:
        calls.append({name: tensor.clone() for name, tensor in named.items()})

    stepping = rates.env(workload, lanes)
    stepping.work()  # from then on lanes are at different steps of their texts
    hook = workload.host.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        for _ in range(AHEAD):
            stepping.work()
    finally:
        hook.remove()
    return calls


def _valid(special: Tensor, mask: Tensor) -> Tensor:
    """True at all real tokens: texts begin behind what all of them begin with."""
    valid = special.clone()
    start = int(special[0].int().argmin())
    valid[:, start : start + mask.shape[1]] |= mask
    return valid


def _labelling(model: nn.Module, inputs: Sequence[Mapping[str, Tensor]]) -> Contestant:
    turn = cycle(inputs)

    @torch.inference_mode()
    def label() -> int:
        labels: Tensor = model(**next(turn)).logits.argmax(-1)
        return labels.numel()

    return Contestant(label, pieces=len(inputs), warm_up=label)
