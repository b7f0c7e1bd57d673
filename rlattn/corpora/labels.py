"""Labels: a corpus whose targets are a few words that recur is one to classify.

A labelled corpus is a parallel one, with a text as the source and its label as the target. So it is
split, named, and put beside noise as any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from rlattn.corpora.base import Pair, ParallelCorpus
from rlattn.corpora.made import MadePairs
from rlattn.errors import InputError

MOST_LABELS = 1_000
"""Most labels of a corpus; beyond it targets are taken for translations."""

_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?")
_SHOWN = 10


def labels_of(corpus: ParallelCorpus) -> tuple[str, ...]:
    """Return the labels of a labelled corpus: the targets of its training pairs.

    Args:
        corpus: Pairs of a text and its label. Pairs that are made, such as those of `kinds:en`, are
            not made for this.

    Returns:
        The labels: numbers first, by value, then words by the alphabet, numbers in them by value.

    Raises:
        InputError: If there is but one label or more than 1,000, or a validation or test pair has a
            label that no training pair has.
    """
    labels = labels_in(corpus.train)
    if len(labels) > MOST_LABELS:
        raise InputError(
            f"{corpus.name}: there are more than {MOST_LABELS:,} targets, such as {min(labels)!r}; "
            "expected labels, each of many texts"
        )
    if len(labels) < 2:
        raise InputError(
            f"{corpus.name}: all {len(corpus.train)} training texts have the label "
            f"{corpus.train[0].target!r}; expected at least two labels to tell apart"
        )
    for split, pairs in (("validation", corpus.valid), ("test", corpus.test)):
        unknown = labels_in(pairs) - labels
        if unknown:
            rows = sum(pair.target in unknown for pair in pairs)
            raise InputError(
                f"{corpus.name}: {rows} of {len(pairs)} {split} texts have labels that no training "
                f"text has: {_listed(unknown)}; known are {_listed(labels)}; train on texts with "
                "these labels, too, or leave them out"
            )
    return tuple(sorted(labels, key=_natural))


def labels_in(pairs: Sequence[Pair]) -> frozenset[str]:
    """Return the labels of a split, or `MOST_LABELS` and one when it has more."""
    if isinstance(pairs, MadePairs) and pairs.labels is not None:
        return pairs.labels
    found: set[str] = set()
    for pair in pairs:
        found.add(pair.target)
        if len(found) > MOST_LABELS:
            break
    return frozenset(found)


def _natural(label: str) -> tuple[bool, list[Decimal | str], str]:
    """What to sort labels by; the label itself comes last, so that no two are alike."""
    if _NUMBER.fullmatch(label):
        return False, [Decimal(label)], label
    # Text and digits take turns, so that like is compared with like.
    parts = re.split(r"(\d+)", label.casefold())
    return True, [Decimal(part) if n % 2 else part for n, part in enumerate(parts)], label


def _listed(labels: frozenset[str]) -> str:
    known = sorted(labels, key=_natural)
    shown = ", ".join(map(repr, known[:_SHOWN]))
    return f"{shown} and {len(known) - _SHOWN} more" if len(known) > _SHOWN else shown
