"""Translating under a rule: one loop for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from rlattn.agents.rules.base import Rule, Seen
from rlattn.agents.rules.counts import counts_for
from rlattn.hosts import LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.hosts.lanes import shortest
from rlattn.inference import Trace, Translations
from rlattn.inference.order import by_length
from rlattn.inference.translation import in_batches
from rlattn.steering import Steering


def translate_by_rule(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    rule: Rule,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
    trace: bool = False,
) -> Translations:
    """Translates sentences greedily while a rule says where to look.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        rule: Says where to look.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.
        trace: Whether to keep where the host looked, for pictures.
    """
    sources = host.tokenize(sentences, max_source)
    lengths = np.fromiter(map(len, sources.ids), np.int64, len(sources.ids))
    counts = np.zeros_like(lengths)
    if rule.reads is not None and len(lengths):
        counts = counts_for(lengths, rule.reads)

    def write(here: Sequence[int]) -> tuple[Tensor, Trace]:
        rows = [sources.ids[i] for i in here]
        return _write(host, rows, rule, torch.from_numpy(counts[here]), max_target, trace)

    return in_batches(host, sources, by_length(sources, batch), write, trace=trace)


def _write(
    host: Seq2SeqHost,
    rows: list[list[int]],
    rule: Rule,
    counts: Tensor,
    max_target: int,
    trace: bool,
) -> tuple[Tensor, Trace]:
    """What is written for some sources, ``[rows, 1 + target]``, and what was read meanwhile."""
    encoded = host.encode(rows)
    sources, mask, keys = LaneSources.of(encoded), encoded.mask, _keys(rows)
    watched = trace or rule.normalise is not None
    steering = Steering(host.model, record=watched, normalise=rule.normalise)
    steered = LaneDecoder(host, sources, max_target, forward=shortest(host, steering))
    native = LaneDecoder(host, sources, max_target, record=True) if rule.needs_native else None
    tokens = torch.full((len(rows),), host.start_token, device=host.device)
    ends = torch.tensor(host.eos_tokens, device=host.device)
    live = torch.ones_like(tokens, dtype=torch.bool)
    steps, read = torch.zeros_like(tokens), torch.zeros_like(tokens)
    counts, record, written = counts.to(host.device), Trace(), [tokens]
    for step in range(max_target):
        looked = None if native is None else native.step(tokens).attention
        allocation = rule.allocation(Seen(step, mask, counts, keys, looked))
        output = steered.step(tokens, allocation)
        opened = mask
        if rule.normalise is not None:
            assert output.attention is not None
            opened = output.attention > 0  # a mean is zero where all layers and heads are
        elif allocation is not None and allocation.is_plain_gate:
            opened = allocation.values & mask
        steps, read = steps + live, read + opened.sum(-1) * live
        if trace:
            assert output.attention is not None
            record.attention.append(output.attention)
            record.opened.append(opened)
        first, last = (torch.full_like(live, step == t) for t in (0, max_target - 1))
        tokens = host.choose(output.logits, first, last)
        # Past its end a row writes padding, which reads as nothing.
        tokens = torch.where(live, tokens, host.pad_token)
        written.append(tokens)
        live = live & ~torch.isin(tokens, ends)
        if not live.any():
            break
    # Whole numbers up to here: a row that always reads as much has exactly that fraction.
    record.reads_fraction = read.double() / (steps * mask.sum(-1))
    return torch.stack(written, dim=1), record


def _keys(rows: list[list[int]]) -> np.ndarray:
    """A number for each source, the same whatever else is translated, uint64, ``[rows]``."""
    digests = (blake2b(np.asarray(row, np.int64).tobytes(), digest_size=8) for row in rows)
    return np.frombuffer(b"".join(each.digest() for each in digests), np.uint64)
