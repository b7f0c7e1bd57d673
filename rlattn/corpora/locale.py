"""The locale corpus: unlimited sentences of phrases that two CLDR locales both know how to say.

Dates, times, amounts of money, measurements, relative times, names and lists are drawn as meanings
and then put into words twice, by the source locale and by the target locale. The translation is
therefore exact, needs no files, and has real reordering and agreement: `March 3, 2024` becomes
`3. März 2024`, `3 days ago` becomes `vor 3 Tagen`.

The words are those of the Unicode CLDR (https://cldr.unicode.org), through Babel.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rlattn.corpora.base import Pair, ParallelCorpus, sentence_hash
from rlattn.corpora.draws import Draw
from rlattn.corpora.made import MadePairs, made_corpus
from rlattn.corpora.sentences import sentence
from rlattn.corpora.stock import Stock
from rlattn.corpora.wording import Wording, identifier_of, own_locale
from rlattn.errors import InputError

GENERATOR = 1
"""Version of the generator: raised whenever the same settings give other sentences."""

TRAIN_SIZE = 50_000
"""Training pairs of a locale corpus when nobody says how many."""

# A sentence belongs to the split that its hash says, whatever the seed, so that no two splits of
# any two corpora of one source locale share a source sentence.
_BUCKETS = ("test", "valid", *6 * ("train",))
_TOKENS = re.compile(r"\d|[!-/:-@–]|[^\s\d!-/:-@–]+")
_LENGTHS = range(5, 41)
_INVISIBLE = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


@lru_cache(maxsize=8)
def _wordings(source: str, target: str) -> tuple[Wording, Wording, Stock]:
    spoken = Wording(own_locale(source)), Wording(own_locale(target))
    return *spoken, Stock.shared_by(*spoken)


class LocalePairs(MadePairs):
    """One split of a locale corpus: pairs that are made when they are asked for.

    Args:
        source: CLDR identifier of the source locale.
        target: CLDR identifier of the target locale.
        split: `train`, `valid` or `test`.
        seed: Seed of the draws.
        size: Number of pairs.
    """

    def __init__(self, source: str, target: str, split: str, seed: int, size: int) -> None:
        super().__init__((source, target, split, seed, size), size, kept=1 << 16)
        self._split, self._seed = split, seed
        self._source, self._target, self._stock = _wordings(source, target)

    def drawn(self, draw: Draw) -> Pair:
        """Return the next pair of this split that a stream of draws comes to."""
        while True:
            meaning = sentence(draw, self._stock)
            source = tidy(meaning(self._source))
            if split_of(source) == self._split and tokens(source) in _LENGTHS:
                return Pair(source, tidy(meaning(self._target)))

    def _make(self, index: int) -> Pair:
        return self.drawn(Draw(GENERATOR, self._seed, self._split, index))


def locale_corpus(
    source: str,
    target: str,
    *,
    seed: int = 0,
    train_size: int = TRAIN_SIZE,
    valid_size: int = 1_000,
    test_size: int = 1_000,
) -> ParallelCorpus:
    """Return the corpus of locale phrases from one CLDR locale to another.

    Args:
        source: Identifier of the source locale, such as `en`, `pt_BR` or `zh_Hant`.
        target: Identifier of the target locale.
        seed: Seed of the draws.
        train_size: Number of training pairs. They are made when asked for: any size costs nothing.
        valid_size: Number of validation pairs.
        test_size: Number of test pairs.

    Returns:
        The corpus; the splits share no source sentence with one another, nor with the other
        splits under any other seed.

    Raises:
        InputError: If a locale is unknown or has too few words, both are the same, or a size is
            not positive.
    """
    source, target = locale_pair(source, target)
    sizes = {"train": train_size, "valid": valid_size, "test": test_size}
    return made_corpus(
        f"locale:{source}-{target}",
        {"generator": GENERATOR, "source": source, "target": target, "seed": seed},
        sizes,
        lambda split, size: LocalePairs(source, target, split, seed, size),
    )


def locale_pair(source: str, target: str) -> tuple[str, str]:
    """Return Babel's own identifiers of two locales that phrases can be drawn for.

    Raises:
        InputError: If a locale is unknown or has too few words, or both are the same.
    """
    source, target = identifier_of(source), identifier_of(target)
    if source == target:
        raise InputError(f"locale corpus from {source} to itself: give two different locales")
    _wordings(source, target)
    return source, target


def tokens(text: str) -> int:
    """Return how many words of any script, digits and signs a text has.

    A small subword vocabulary makes about a tenth more of it.
    """
    return len(_TOKENS.findall(text))


def split_of(source: str) -> str:
    """Return the split that a source belongs to, whatever the seed."""
    return _BUCKETS[sentence_hash(source) % len(_BUCKETS)]


def tidy(text: str) -> str:
    """Return the text with plain single spaces and without invisible direction marks."""
    return " ".join((text if text.isascii() else text.translate(_INVISIBLE)).split())
