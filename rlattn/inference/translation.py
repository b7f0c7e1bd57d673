"""Translating sentences with `generate()`, under a policy or natively."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rlattn.checks import check_whole
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.pieces import tokens
from rlattn.hosts.seq2seq import Tokenized, pad
from rlattn.inference.alignment import Alignment
from rlattn.inference.order import by_length
from rlattn.inference.session import native
from rlattn.inference.trace import Trace
from rlattn.inference.trained import TrainedPolicy


@dataclass(frozen=True)
class Translations:
    """What a host wrote for some sentences.

    Attributes:
        texts: The translations, in the order of the sentences.
        reads_fraction: For each sentence, the mean over its steps of open over valid positions.
        truncated: How many sentences were longer than allowed, and cut.
        alignments: With `trace`, where the host looked in each sentence.
    """

    texts: list[str]
    reads_fraction: list[float]
    truncated: int
    alignments: list[Alignment] = field(default_factory=list)


@torch.no_grad()
def translate(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    policy: TrainedPolicy | None = None,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
    beams: int = 1,
    trace: bool = False,
) -> Translations:
    """Translates sentences with `generate()`, under a policy or natively.

    With beams, what was read is what was read for the best hypothesis, along the beams that it went
    through.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        policy: What steers it; None for native attention.
        max_source: Longer sources are cut, in tokens; as short as the host's positions reach.
        max_target: The most tokens to write; as few as the host's positions reach.
        batch: How many sentences are written at once.
        beams: How many hypotheses are kept at each step; 1 is greedy.
        trace: Whether to keep where the host looked, for pictures.

    Raises:
        InputError: If the host is not the policy's, a number is no whole number from 1 on, or
            something among the sentences is no text.
    """
    limits = {"max_source": max_source, "max_target": max_target, "batch": batch, "beams": beams}
    for name, number in limits.items():
        check_whole(name, number)
    max_source = min(max_source, host.max_source or max_source)
    max_target = min(max_target, host.max_target or max_target)
    sources = host.tokenize(sentences, max_source)

    def write(here: Sequence[int]) -> tuple[Tensor, Trace]:
        rows = [sources.ids[i] for i in here]
        return _write(host, rows, policy, max_target, beams, trace)

    return in_batches(host, sources, by_length(sources, batch), write, trace=trace)


def in_batches(
    host: Seq2SeqHost,
    sources: Tokenized,
    batches: Iterable[Sequence[int]],
    write: Callable[[Sequence[int]], tuple[Tensor, Trace]],
    *,
    trace: bool = False,
) -> Translations:
    """Writes sources batch by batch, and puts what was written into their order.

    Args:
        host: Whose tokens they are.
        sources: All sources.
        batches: Indices of sources, each once.
        write: Writes those of some indices: the tokens, a start token included,
            ``[rows, 1 + target]``, and what was read meanwhile; where that says nothing of reads,
            all was read.
        trace: Whether to keep where the host looked.
    """
    texts, reads = [""] * len(sources.ids), [1.0] * len(sources.ids)
    alignments: dict[int, Alignment] = {}
    for here in batches:
        written, record = write(here)
        detokenized = host.detokenize(written[:, 1:].tolist())
        fractions = record.reads_fraction.tolist() or [1.0] * len(here)
        for i, text, fraction in zip(here, detokenized, fractions, strict=True):
            texts[i], reads[i] = text, fraction
        if trace:
            rows = [sources.ids[i] for i in here]
            alignments |= zip(here, alignments_of(host, rows, written, record), strict=True)
    return Translations(
        texts, reads, sources.truncated, [alignments[i] for i in sorted(alignments)]
    )


def _write(
    host: Seq2SeqHost,
    rows: list[list[int]],
    policy: TrainedPolicy | None,
    max_target: int,
    beams: int,
    trace: bool,
) -> tuple[Tensor, Trace]:
    """What is written for some sources, ``[rows, 1 + target]``, and what was read meanwhile."""
    ids, mask = (t.to(host.device) for t in pad(rows, host.pad_token))
    settings: dict[str, Any] = {
        "input_ids": ids,
        "attention_mask": mask.long(),
        "max_new_tokens": max_target,
        "num_beams": beams,
        "do_sample": False,
    }
    with _watched(host, policy, trace) as record:
        written: Tensor = host.model.generate(**settings)
    return written, record


def _watched(
    host: Seq2SeqHost, policy: TrainedPolicy | None, trace: bool
) -> AbstractContextManager[Trace]:
    if policy is not None:
        return policy.steer(host.model, trace)
    return native(host.model) if trace else nullcontext(Trace())


def alignments_of(
    host: Seq2SeqHost, sources: list[list[int]], written: Tensor, record: Trace
) -> list[Alignment]:
    """Where a host looked in each sentence of a batch.

    Args:
        host: Whose tokens they are.
        sources: The tokens of each source.
        written: What was written, start tokens included, ``[rows, 1 + target]``.
        record: What was read meanwhile, with the attention of every step; all was open at all steps
            if it does not say what was.
    """
    attention = torch.stack(record.attention, 1).float().cpu().numpy()
    opened = np.ones(attention.shape, bool)  # natively
    if record.opened:
        opened = torch.stack(record.opened, 1).cpu().numpy()
    ends = set(host.eos_tokens)
    found = []
    for row, (source, (_, *target)) in enumerate(zip(sources, written.tolist(), strict=True)):
        end = next((i for i, token in enumerate(target, 1) if token in ends), len(target))
        own = row, slice(end), slice(len(source))
        found.append(
            Alignment(
                tokens(host, source),
                tokens(host, target[:end]),
                attention[own].copy(),  # a view would keep the whole batch
                opened[own].copy(),
            )
        )
    return found
