"""The locale corpus: unlimited sentences of phrases that two CLDR locales both know how to say.

Dates, times, amounts of money, measurements, relative times, names and lists are drawn as meanings
and then put into words twice, by the source locale and by the target locale. The translation is
therefore exact, needs no files, and has real reordering and agreement: `March 3, 2024` becomes
`3. März 2024`, `3 days ago` becomes `vor 3 Tagen`.

The words are those of the Unicode CLDR (https://cldr.unicode.org), through Babel.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import overload

import babel
from babel import Locale, UnknownLocaleError
from babel.core import get_cldr_version
from babel.localedata import locale_identifiers

from rlattn.corpora.base import Pair, ParallelCorpus, sentence_hash
from rlattn.corpora.draws import Draw
from rlattn.corpora.sentences import sentence
from rlattn.corpora.stock import Stock
from rlattn.corpora.wording import Wording, own_locale
from rlattn.errors import InputError

GENERATOR = 1
"""Version of the generator: raised whenever the same settings give other sentences."""

TRAIN_SIZE = 50_000
"""Training pairs of a locale corpus when nobody says how many."""

# A sentence belongs to the split that its hash says, whatever the seed, so that no two splits of
# any two corpora of one source locale share a source sentence.
_BUCKETS = ("test", "valid", *6 * ("train",))
# Digits, punctuation and words of any script: about what a small subword vocabulary makes of them.
_TOKENS = re.compile(r"\d|[!-/:-@–]|[^\s\d!-/:-@–]+")
_LENGTHS = range(5, 41)
_INVISIBLE = dict.fromkeys(map(ord, "\u200e\u200f\u061c"))


@lru_cache(maxsize=8)
def _wordings(source: str, target: str) -> tuple[Wording, Wording, Stock]:
    spoken = Wording(own_locale(source)), Wording(own_locale(target))
    stock = Stock.shared_by(*spoken)
    for things, shared in asdict(stock).items():
        if len(shared) < 2 or not all(shared):
            raise InputError(
                f"locale corpus {source}-{target}: CLDR has too few {things.replace('_', ' ')} "
                "that both locales name; take locales with more data"
            )
    return *spoken, stock


class LocalePairs(Sequence[Pair]):
    """One split of a locale corpus: pairs that are made when they are asked for.

    The pair at an index depends on the arguments and the index alone.

    Args:
        source: CLDR identifier of the source locale.
        target: CLDR identifier of the target locale.
        split: `train`, `valid` or `test`.
        seed: Seed of the draws.
        size: Number of pairs.
    """

    def __init__(self, source: str, target: str, split: str, seed: int, size: int) -> None:
        self._settings = (source, target, split, seed, size)
        self._split, self._seed, self._size = split, seed, size
        self._source, self._target, self._stock = _wordings(source, target)
        self._made = lru_cache(maxsize=1 << 16)(self._make)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Pair: ...
    @overload
    def __getitem__(self, index: slice) -> list[Pair]: ...
    def __getitem__(self, index: int | slice) -> Pair | list[Pair]:
        if isinstance(index, slice):
            return [self._made(position) for position in range(*index.indices(self._size))]
        return self._made(range(self._size)[index])

    def __iter__(self) -> Iterator[Pair]:
        return map(self._made, range(self._size))

    def __reduce__(self) -> tuple[type[LocalePairs], tuple[str, str, str, int, int]]:
        return type(self), self._settings

    def _make(self, index: int) -> Pair:
        draw = Draw(GENERATOR, self._seed, self._split, index)
        while True:
            meaning = sentence(draw, self._stock)
            source = _tidy(meaning(self._source))
            if _split_of(source) == self._split and len(_TOKENS.findall(source)) in _LENGTHS:
                return Pair(source, _tidy(meaning(self._target)))


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
    source, target = _identifier(source), _identifier(target)
    if source == target:
        raise InputError(f"locale corpus from {source} to itself: give two different locales")
    sizes = {"train": train_size, "valid": valid_size, "test": test_size}
    for split, size in sizes.items():
        if size < 1:
            raise InputError(f"{split}_size is {size}; each split needs a pair at least")
    _wordings(source, target)
    settings = {
        "generator": GENERATOR,
        "babel": babel.__version__,
        "cldr": get_cldr_version(),
        "source": source,
        "target": target,
        "seed": seed,
        "sizes": sizes,
    }
    return ParallelCorpus(
        name=f"locale:{source}-{target}",
        dropped=0,
        fingerprint=hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        **{split: LocalePairs(source, target, split, seed, size) for split, size in sizes.items()},
    )


def _split_of(source: str) -> str:
    return _BUCKETS[sentence_hash(source) % len(_BUCKETS)]


def _identifier(name: str) -> str:
    """Return Babel's own identifier of a locale."""
    try:
        return str(Locale.parse(name))
    except (UnknownLocaleError, ValueError) as error:
        known = locale_identifiers()
        close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(close)}? " if close else ""
        raise InputError(
            f"unknown locale {name!r}: {hint}"
            f"Babel knows {len(known)} locales; `pybabel --list-locales` lists them"
        ) from error


def _tidy(text: str) -> str:
    """Return the text with plain single spaces and without invisible direction marks."""
    return " ".join((text if text.isascii() else text.translate(_INVISIBLE)).split())
