"""Rules to compare a learned policy with; they need no training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rlattn.hosts import Encoded, LaneDecoder, LaneSources, Seq2SeqHost
from rlattn.inference import Translations
from rlattn.steering import Allocation


def topk_counts(lengths: np.ndarray, reads: float) -> np.ndarray:
    """How many positions of each source to keep, so that all read `reads` on average.

    Args:
        lengths: Source lengths in tokens, ``[sentences]``.
        reads: The mean over sentences of kept over valid positions to reach, in (0, 1].

    Returns:
        At least one position per sentence, ``[sentences]``; the mean is the smallest reachable
        that is not below `reads`, so that a comparison never favours the other side.
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        enough = np.mean(_kept(lengths, middle) / lengths) >= reads
        low, high = (low, middle) if enough else (middle, high)
    return _kept(lengths, high)


def _kept(lengths: np.ndarray, fraction: float) -> np.ndarray:
    return np.clip(np.rint(fraction * lengths), 1, lengths).astype(np.int64)


def translate_topk(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    reads: float,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
) -> Translations:
    """Translates greedily while reading only the positions that native attention likes best.

    At each step a full native pass over the same prefix comes first; its attention, averaged over
    layers and heads, says which positions stay open in the second pass. So the rule first
    computes the attention that it then throws away.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        reads: The mean over sentences of open over valid positions.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.
    """
    sources = host.tokenize(sentences, max_source)
    lengths = np.fromiter(map(len, sources.ids), np.int64, len(sources.ids))
    counts = topk_counts(lengths, reads)
    order = np.argsort(lengths, kind="stable")
    texts = [""] * len(sentences)
    for start in range(0, len(order), batch):
        here = order[start : start + batch]
        encoded = host.encode([sources.ids[i] for i in here])
        written = _write(host, encoded, torch.from_numpy(counts[here]), max_target)
        for i, text in zip(here, host.detokenize(written), strict=True):
            texts[i] = text
    return Translations(texts, (counts / lengths).tolist(), sources.truncated)


def _write(host: Seq2SeqHost, encoded: Encoded, counts: Tensor, max_target: int) -> list[list[int]]:
    sources = LaneSources.of(encoded)
    watched = LaneDecoder(host, sources, max_target, record=True)
    gated = LaneDecoder(host, sources, max_target)
    tokens = torch.full((len(counts),), host.start_token, device=host.device)
    ends = torch.tensor(host.eos_tokens, device=host.device)
    live = torch.ones_like(tokens, dtype=torch.bool)
    written: list[Tensor] = []
    for step in range(max_target):
        attention = watched.step(tokens).attention
        assert attention is not None
        opened = keep_top(attention, counts, encoded.mask)
        logits = gated.step(tokens, Allocation("gate", opened)).logits
        first, last = (torch.full_like(live, step == t) for t in (0, max_target - 1))
        tokens = host.choose(logits, first, last)
        # Past its end a row writes padding, which reads as nothing.
        tokens = torch.where(live, tokens, host.pad_token)
        written.append(tokens)
        live = live & ~torch.isin(tokens, ends)
        if not live.any():
            break
    rows: list[list[int]] = torch.stack(written, dim=1).tolist()
    return rows


def keep_top(attention: Tensor, counts: Tensor, mask: Tensor) -> Tensor:
    """The positions with the highest attention.

    Args:
        attention: ``[lanes, source]``.
        counts: How many to keep, ``[lanes]``.
        mask: True at real source tokens, ``[lanes, source]``.

    Returns:
        True where open, ``[lanes, source]``.
    """
    shut = attention.masked_fill(~mask, -1.0)
    rank = shut.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    kept: Tensor = (rank < counts[:, None].to(rank.device)) & mask
    return kept
