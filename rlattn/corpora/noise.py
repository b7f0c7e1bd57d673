"""Noise: another sentence beside each source, and a marker that tells which one is asked for.

A host that was never taught the marker translates both sentences, or mixes them up. Who decides
where it looks can learn to look where the marker says. The other sentence stands before or behind,
by chance, or always before, or always behind::

    Zwei Hunde rennen. = Ein Mann kocht.        A man is cooking.
    = Ein Mann kocht. Zwei Hunde rennen.        A man is cooking.
    Ein Mann kocht. = Zwei Hunde rennen.        A man is cooking.  (if always behind)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from rlattn.corpora.base import Pair, ParallelCorpus, sentence_key
from rlattn.corpora.draws import Draw
from rlattn.corpora.labels import labels_in
from rlattn.corpora.made import MadePairs
from rlattn.errors import InputError

GENERATOR = 1
"""Version of the generator: raised whenever the same settings give other sources."""

Place = Literal["before", "behind", "either"]
PLACES: tuple[Place, ...] = get_args(Place)

_TRIES = 1_000


@dataclass(frozen=True)
class Layout:
    """How the two sentences of a source stand together.

    Attributes:
        place: Where the other sentence stands: ``"before"`` the one that is asked for,
            ``"behind"`` it, or ``"either"``, by chance.
        marker: Stands right before the sentence that is asked for; right behind it where the other
            one always is. Best a sign that the host's tokenizer knows and its text hardly ever has.

    Raises:
        InputError: If there is no such place, or nothing would tell which sentence is asked for.
    """

    place: Place = "either"
    marker: str = "="

    def __post_init__(self) -> None:
        """Refuses what is no layout."""
        if self.place not in PLACES:
            raise InputError(f"unknown place {self.place!r}: expected {', '.join(PLACES)}")
        if not self.marker.strip() and self.place == "either":
            raise InputError(
                "noise on either side without a marker: nothing would tell which sentence is asked "
                "for; give a marker, or put the other sentence before or behind"
            )


class NoisyPair(Pair):
    """A pair of whose source only a part is asked for.

    Args:
        source: What is asked for, what else stands there, and a marker.
        target: The translation of what is asked for, or its label.
        asked: Which characters of the source are asked for, the marker left out.
    """

    asked: slice

    def __new__(cls, source: str, target: str, asked: slice) -> NoisyPair:
        """A tuple of source and target, as any pair is."""
        pair = super().__new__(cls, source, target)
        pair.asked = asked
        return pair

    def __getnewargs__(self) -> tuple[str, str, slice]:
        """What a copy is made of."""
        return self.source, self.target, self.asked


class NoisyPairs(MadePairs):
    """Each a `NoisyPair`: pairs of another corpus with another of its sources beside each source.

    Args:
        pairs: One of its splits.
        split: What that is called.
        seed: Seed of the draws.
        layout: How the sentences stand together.

    Raises:
        InputError: If all pairs have the same source.
    """

    def __init__(self, pairs: Sequence[Pair], split: str, seed: int, layout: Layout) -> None:
        super().__init__((pairs, split, seed, layout), len(pairs), kept=1 << 14)
        self._pairs, self._split, self._seed, self._layout = pairs, split, seed, layout

    @property
    def labels(self) -> frozenset[str] | None:
        """Those of the pairs without noise."""
        return labels_in(self._pairs)

    def _make(self, index: int) -> NoisyPair:
        place, marker = self._layout.place, self._layout.marker
        asked, target = self._pairs[index]
        draw = Draw("noise", GENERATOR, self._seed, self._split, index)
        first = place == "behind" or (place == "either" and draw.chance(0.5))
        other = self._other(asked, draw)
        if place == "behind":
            front, back = "", f"{marker} {other}"
        else:
            front, back = (marker, other) if first else (f"{other} {marker}", "")
        front, back = front.strip(), back.strip()
        start = len(front) + 1 if front else 0
        text = " ".join(part for part in (front, asked, back) if part)
        return NoisyPair(text, target, slice(start, start + len(asked)))

    def _other(self, asked: str, draw: Draw) -> str:
        for _ in range(_TRIES):
            other = draw.pick(self._pairs).source
            if sentence_key(other) != sentence_key(asked):
                return other
        raise InputError(
            f"noise: the {self._split} split has hardly any sentence but {asked!r}; take a corpus "
            "of different sentences"
        )


def noisy_corpus(
    corpus: ParallelCorpus, layout: Layout | None = None, *, seed: int = 0
) -> ParallelCorpus:
    """Return a corpus with another sentence of the same split beside each source.

    Its splits are `NoisyPairs`: a pair depends on the seed, the split and the index alone, and
    costs nothing until it is asked for.

    Args:
        corpus: Any other.
        layout: How the two sentences stand together; `Layout()` when not given.
        seed: Seed of the draws.
    """
    layout = layout or Layout()
    told = {"generator": GENERATOR, "of": corpus.fingerprint, "seed": seed, **asdict(layout)}
    return replace(
        corpus,
        name=f"noise:{corpus.name}",
        fingerprint=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        train=NoisyPairs(corpus.train, "train", seed, layout),
        valid=NoisyPairs(corpus.valid, "valid", seed, layout),
        test=NoisyPairs(corpus.test, "test", seed, layout),
    )
