"""The documents corpus: long sources of which a few sentences are asked for.

A document is a row of locale sentences. Two to four of them begin with a letter, `A)`, `B)`, and so
on, and what is to be written is the translation of these alone, each behind its letter::

    Peru: in 3 days. A) March 3, 2024; $12. Sunday, May, or June. B) 15 km (2 weeks ago). ...
    A) 3. März 2024; 12 $. B) 15 km (vor 2 Wochen).

So a twelfth of the source is all that anyone needs to read, and which one stands in the source.
Every sentence ends in a point, and no point stands anywhere else in a source.
"""

from __future__ import annotations

from rlattn.corpora.base import Pair, ParallelCorpus
from rlattn.corpora.draws import Draw
from rlattn.corpora.locale import GENERATOR as SENTENCE_GENERATOR
from rlattn.corpora.locale import LocalePairs, locale_pair, tokens
from rlattn.corpora.made import MadePairs, made_corpus
from rlattn.errors import InputError

GENERATOR = 1
"""Version of the generator: raised whenever the same settings give other documents."""

MARKS = ("A)", "B)", "C)", "D)")
"""What the sentences that are asked for begin with, before a space."""

LENGTHS = (400, 900)
"""Fewest and most words, digits and signs of a document."""

TRAIN_WORDS = 6_500_000
"""Words, digits and signs of the training documents when nobody says how many there are."""

_FEWEST_ASKED = 2
_ENDS = frozenset(".!?…。！？")  # noqa: RUF001  (full-width marks are meant)
_SHORTEST = 50  # so that there are two sentences
_SPREAD = 45  # a sentence with its point, and two marks more or less


class DocumentPairs(MadePairs):
    """One split of a documents corpus: documents that are made when they are asked for.

    Args:
        source: CLDR identifier of the source locale.
        target: CLDR identifier of the target locale.
        split: `train`, `valid` or `test`.
        seed: Seed of the draws.
        size: Number of pairs.
        lengths: Fewest and most words, digits and signs of a document.
    """

    def __init__(
        self,
        source: str,
        target: str,
        split: str,
        seed: int,
        size: int,
        lengths: tuple[int, int] = LENGTHS,
    ) -> None:
        super().__init__((source, target, split, seed, size, lengths), size, kept=1 << 14)
        self._split, self._seed, self._lengths = split, seed, lengths
        self._sentences = LocalePairs(source, target, split, seed, size)

    def _make(self, index: int) -> Pair:
        draw = Draw("documents", GENERATOR, self._seed, self._split, index)
        fewest, most = self._lengths
        marks = MARKS[: _FEWEST_ASKED + draw.below(len(MARKS) - _FEWEST_ASKED + 1)]
        room = fewest + draw.below(most - fewest - _SPREAD + 1)
        room -= sum(map(tokens, MARKS[:_FEWEST_ASKED]))
        sentences: list[Pair] = []
        while room > 0:
            pair = self._sentences.drawn(draw)
            if _ENDS.isdisjoint(pair.source):
                sentences.append(Pair(f"{pair.source}.", f"{pair.target}."))
                room -= tokens(sentences[-1].source)
        places = sorted(draw.several(range(len(sentences)), len(marks)))
        asked = dict(zip(places, marks, strict=False))  # a short document may have fewer sentences
        return Pair(
            " ".join(
                f"{asked[place]} {pair.source}" if place in asked else pair.source
                for place, pair in enumerate(sentences)
            ),
            " ".join(f"{mark} {sentences[place].target}" for place, mark in asked.items()),
        )


def document_corpus(
    source: str,
    target: str,
    *,
    seed: int = 0,
    train_size: int | None = None,
    valid_size: int = 500,
    test_size: int = 500,
    lengths: tuple[int, int] = LENGTHS,
) -> ParallelCorpus:
    """Return the corpus of documents from one CLDR locale to another.

    Args:
        source: Identifier of the source locale, such as `en`, `pt_BR` or `zh_Hant`.
        target: Identifier of the target locale.
        seed: Seed of the draws.
        train_size: Number of training pairs; by default 10,000, or more where they are shorter, so
            that they have as many words. They are made when asked for: any size costs nothing.
        valid_size: Number of validation pairs.
        test_size: Number of test pairs.
        lengths: Fewest and most words, digits and signs of a document; a small subword vocabulary
            makes about a tenth more tokens of them, 400 to 1,000 by default.

    Returns:
        The corpus; the splits share no sentence with one another, nor with the other splits under
        any other seed, nor with those of the locale corpus.

    Raises:
        InputError: If a locale is unknown or has too few words, both are the same, a size is not
            positive, or the lengths leave no room.
    """
    source, target = locale_pair(source, target)
    fewest, most = lengths
    if not _SHORTEST <= fewest <= most - _SPREAD:
        raise InputError(
            f"documents of {fewest} to {most} words: expected at least {_SHORTEST}, and {_SPREAD} "
            "between the fewest and the most, for the length of a sentence"
        )
    if train_size is None:
        train_size = 2 * TRAIN_WORDS // (fewest + most)
    name = f"documents:{source}-{target}"
    settings = {
        "generators": [GENERATOR, SENTENCE_GENERATOR],
        "source": source,
        "target": target,
        "seed": seed,
        "lengths": lengths,
    }
    return made_corpus(
        name if lengths == LENGTHS else f"{name}:{fewest}-{most}",
        settings,
        {"train": train_size, "valid": valid_size, "test": test_size},
        lambda split, size: DocumentPairs(source, target, split, seed, size, lengths),
    )
