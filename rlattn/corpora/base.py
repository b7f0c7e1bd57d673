"""What a parallel corpus is: sentence pairs in three splits that share no source sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rlattn.errors import InputError


class Pair(NamedTuple):
    """A source sentence and its translation."""

    source: str
    target: str


@dataclass(frozen=True)
class ParallelCorpus:
    """Sentence pairs for training, choosing and testing; no source sentence is in two splits.

    Attributes:
        name: Where the pairs come from, for example `locale:en-de`.
        train: Pairs to learn from.
        valid: Pairs to choose between models with.
        test: Pairs to report.
        dropped: Training pairs that were removed because their source is in `valid` or `test`.
        fingerprint: SHA-256 (hex) that changes whenever the pairs do.
    """

    name: str
    train: Sequence[Pair]
    valid: Sequence[Pair]
    test: Sequence[Pair]
    dropped: int
    fingerprint: str


def sentence_key(text: str) -> str:
    """Return what identifies a sentence: its text with every run of white space as one space."""
    return " ".join(text.split())


def sentence_hash(text: str) -> int:
    """Return a 64-bit number for a sentence, the same in every process and on every machine."""
    digest = hashlib.blake2b(sentence_key(text).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def pair_up(
    rows: Iterable[tuple[int, str, str]],
    where: str,
    unit: str = "line",
    sides: tuple[str, str] = ("source", "target"),
) -> list[Pair]:
    """Return the pairs of rows with two sides, leaving out those that say nothing.

    Args:
        rows: Number of each row, its source and its target text.
        where: What is being read, for the error message.
        unit: What a row is called there.
        sides: What its sides are called there.

    Returns:
        The pairs in order, without white space at their ends.

    Raises:
        InputError: If only one side of a pair is empty, or all pairs are empty.
    """
    pairs = []
    for number, source, target in rows:
        pair = Pair(source.strip(), target.strip())
        if pair.source and pair.target:
            pairs.append(pair)
        elif pair.source or pair.target:
            full, empty = sides if pair.source else sides[::-1]
            raise InputError(
                f"{where}, {unit} {number}: there is a {full} but the {empty} is empty; "
                "give both or neither"
            )
    if not pairs:
        raise InputError(f"{where}: there is no {sides[0]} with a {sides[1]} in it")
    return pairs
