"""Translating sentences with `generate()`, under a policy or natively."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.seq2seq import pad
from rlattn.inference.trained import TrainedPolicy


@dataclass(frozen=True)
class Translations:
    """What a host wrote for some sentences.

    Attributes:
        texts: The translations, in the order of the sentences.
        reads_fraction: For each sentence, the mean over its steps of open over valid positions.
        truncated: How many sentences were longer than allowed, and cut.
    """

    texts: list[str]
    reads_fraction: list[float]
    truncated: int


@torch.no_grad()
def translate(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    policy: TrainedPolicy | None = None,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
) -> Translations:
    """Translates sentences greedily with `generate()`, under a policy or natively.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        policy: What steers it; None for native attention.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.
    """
    sources = host.tokenize(sentences, max_source)
    # Sentences of like length together: a batch is as slow as its longest.
    order = sorted(range(len(sentences)), key=lambda i: len(sources.ids[i]))
    texts, reads = [""] * len(sentences), [1.0] * len(sentences)
    for start in range(0, len(order), batch):
        here = order[start : start + batch]
        ids, mask = (t.to(host.device) for t in pad([sources.ids[i] for i in here], host.pad_token))
        settings: dict[str, Any] = {
            "input_ids": ids,
            "attention_mask": mask.long(),
            "max_new_tokens": max_target,
            "num_beams": 1,
            "do_sample": False,
        }
        if policy is None:
            written, fractions = host.model.generate(**settings), [1.0] * len(here)
        else:
            with policy.steer(host.model) as trace:
                written = host.model.generate(**settings)
            fractions = trace.reads_fraction.tolist()
        for i, text, fraction in zip(
            here, host.detokenize(written.tolist()), fractions, strict=True
        ):
            texts[i], reads[i] = text, fraction
    return Translations(texts, reads, sources.truncated)
