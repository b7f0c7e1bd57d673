"""The share of native attention to keep, so that given reads come of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rlattn.agents.rules.counts import check_share
from rlattn.agents.rules.watching import TopP
from rlattn.agents.rules.writing import translate_by_rule
from rlattn.hosts import Seq2SeqHost

_HALVINGS = 10


def mass_for_reads(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    reads: float,
    *,
    max_source: int = 64,
    max_target: int = 64,
    batch: int = 64,
) -> float:
    """The mass with which `TopP` reads what it should on some sentences, found by halving.

    The sentences are translated ten times; take those to validate on.

    Args:
        host: The frozen translator.
        sentences: In the source language.
        reads: The mean over sentences of open over valid positions to reach, in (0, 1].
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        batch: How many sentences are written at once.

    Returns:
        The smallest mass found whose reads are not below `reads`, to a thousandth; 1.0 where there
        is none.

    Raises:
        InputError: If the reads are no share.
    """
    check_share(reads, "reads")
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        output = translate_by_rule(
            host,
            sentences,
            TopP(middle),
            max_source=max_source,
            max_target=max_target,
            batch=batch,
        )
        enough = np.mean(output.reads_fraction) >= reads
        low, high = (low, middle) if enough else (middle, high)
    return high
