"""Train, validation and test splits that never share a source sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from rlattn.corpora.base import Pair, ParallelCorpus, sentence_hash, sentence_key
from rlattn.errors import InputError

HELD_OUT = 0.025
"""Fraction of the source sentences that a split takes when it has no pairs of its own."""

MOST_HELD_OUT = 1_000
"""Most source sentences that such a split takes."""


def build_corpus(
    name: str,
    train: Sequence[Pair],
    valid: Sequence[Pair] | None = None,
    test: Sequence[Pair] | None = None,
    *,
    train_size: int | None = None,
) -> ParallelCorpus:
    """Make a corpus of pairs that may be in one split still, or share source sentences.

    A split that is not given is taken out of the training pairs, chosen by a hash of the source so
    that the choice depends on the sentences alone. Then the test split stays whole, a validation
    pair goes when its source is in the test split, a training pair when its source is in either.

    Args:
        name: Where the pairs come from.
        train: Pairs to learn from.
        valid: Pairs to choose between models with; taken out of `train` when None.
        test: Pairs to report; taken out of `train` when None.
        train_size: Most training pairs to keep, the first ones; None keeps all.

    Returns:
        The corpus; its fingerprint is taken over all the pairs that stay.

    Raises:
        InputError: If no pair is left for one of the splits, or `train_size` is not positive.
    """
    if train_size is not None and train_size < 1:
        raise InputError(f"train_size is {train_size}; give at least 1")
    if test is None:
        train, test = _hold_out(train)
    if valid is None:
        train, valid = _hold_out(train)
    valid = without_sources_of(valid, test)
    kept = without_sources_of(train, valid, test)
    dropped = len(train) - len(kept)
    splits = {"train": tuple(kept[:train_size]), "valid": tuple(valid), "test": tuple(test)}
    for split, pairs in splits.items():
        if not pairs:
            raise InputError(
                f"{name}: no pair is left for the {split} split, "
                "since no two splits may share a source sentence; give more text"
            )
    return ParallelCorpus(
        name=name, **splits, dropped=dropped, fingerprint=_fingerprint(splits.values())
    )


def without_sources_of(pairs: Iterable[Pair], *others: Iterable[Pair]) -> list[Pair]:
    """Return the pairs, in order, whose source sentence is in none of the other collections."""
    taken = {sentence_key(pair.source) for other in others for pair in other}
    return [pair for pair in pairs if sentence_key(pair.source) not in taken]


def _hold_out(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Split pairs into those that stay and those held out, all pairs of a source on one side."""
    hashes = [sentence_hash(pair.source) for pair in pairs]
    ranked = sorted(set(hashes))
    chosen = set(ranked[: min(max(round(HELD_OUT * len(ranked)), 1), MOST_HELD_OUT)])
    stay = [pair for pair, key in zip(pairs, hashes, strict=True) if key not in chosen]
    held = [pair for pair, key in zip(pairs, hashes, strict=True) if key in chosen]
    return stay, held


def _fingerprint(splits: Iterable[Sequence[Pair]]) -> str:
    digest = hashlib.sha256()
    for split in splits:
        digest.update(f"{len(split)} pairs\n".encode())
        for pair in split:
            # Texts may contain any separator, but not more characters than they have.
            for text in pair:
                digest.update(f"{len(text)} {text}".encode())
    return digest.hexdigest()
